/** Form parameters that say nothing secret. Whatever else a request carries is taken for a secret. */
const HARMLESS = /^(grant_type|client_id|scope|resource|audience|\w+_type)$/;

/** Anything shorter would be found by chance. */
const WINDOW = 8;

/** What of a request must not come back in an error, in each form in which a server might echo it. */
export function secretsOf(body: unknown, headers: Readonly<Record<string, string>>): readonly string[] {
  const values = body instanceof URLSearchParams ? [...body].filter(([name]) => !HARMLESS.test(name)).map(([, value]) => value) : [];
  const credentials = headers.authorization?.replace(/^\S+\s+/, '');
  if (credentials !== undefined) values.push(credentials, ...basicPassword(credentials));
  if (headers.dpop !== undefined) values.push(headers.dpop);
  return values.filter((value) => value !== '').flatMap((value) => [...new Set(echoesOf(value))]);
}

/** A value as it is, in a form, in a URL, in JSON, and in base64. */
function echoesOf(value: string): string[] {
  const inForm = new URLSearchParams({ v: value }).toString().slice(2);
  // As encodeURIComponent, which throws at half a character: a form with these five left as they are.
  const inUrl = inForm.replace(/\+/g, '%20').replace(/%(21|27|28|29|7E)/g, decodeURIComponent);
  const inBase64 = [new TextEncoder().encode(value), Uint8Array.from(value, (char) => char.charCodeAt(0))].flatMap(base64Of);
  return [value, inForm, inUrl, JSON.stringify(value).slice(1, -1), ...inBase64];
}

/** What of the base64 of a text does not depend on what stands around these bytes in it: for each of the three places they may have. */
function base64Of(bytes: Uint8Array): string[] {
  return [0, 1, 2].flatMap((before) => {
    const binary = '\0'.repeat(before) + Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
    const own = btoa(binary).slice(Math.ceil((before * 4) / 3), Math.floor((binary.length * 4) / 3));
    // Less would be found by chance.
    return own.length < WINDOW ? [] : [own, own.replace(/\+/g, '-').replace(/\//g, '_')];
  });
}

/** Whether a text repeats a secret or a piece of one, in capitals or small letters. */
export function quotes(text: string, secrets: readonly string[]): boolean {
  if (/eyJ[\w-]{10,}/.test(text)) return true; // a JWT, whosever it is
  const said = text.toLowerCase();
  return secrets.some((secret) => {
    const small = secret.toLowerCase();
    if (small.length <= WINDOW) return said.includes(small);
    for (let from = 0; from + WINDOW <= said.length; from++) {
      if (small.includes(said.slice(from, from + WINDOW))) return true;
    }
    return false;
  });
}

/**
 * The `error` and `error_description` that a server sent, as far as they can be printed: in RFC 6749's own alphabet
 * (section 5.2), bounded, and not echoing what was sent.
 */
export function serverText(value: unknown, longest: number, secrets: readonly string[]): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  // Only what would be printed is searched: a megabyte of explanation would take seconds.
  if (quotes(value.slice(0, longest + WINDOW), secrets)) return '[redacted: it repeats a secret]';
  const clean = value.replace(/[^\x20-\x7e]+/g, ' ').trim();
  return clean.length > longest ? `${clean.slice(0, longest)}…` : clean || undefined;
}

/** What a failure may tell: class names and codes. Messages, inputs, responses and buffers may hold anything. */
export function redactedCause(failure: unknown): Error | undefined {
  const links = chainOf(failure);
  const link = links.find(({ code }) => typeof code === 'string' && CODE.test(code)) ?? links[0];
  if (!link) return undefined;
  const { name, code } = link;
  const label = typeof name === 'string' && /^\w{1,60}$/.test(name) ? name : 'Error';
  return typeof code === 'string' && CODE.test(code) ? Object.assign(new Error(`${label} ${code}`), { code }) : new Error(label);
}

/** The code of a failure that {@link redactedCause} let through, for a message. */
export const codeOf = (failure: unknown): string | undefined => (redactedCause(failure) as { code?: string } | undefined)?.code;

const CODE = /^[A-Z][A-Z0-9_]{2,60}$/;

/** An error, its cause, the cause of that: `fetch failed` says nothing, what lies below says ECONNREFUSED. */
function chainOf(failure: unknown): Record<string, unknown>[] {
  const links: Record<string, unknown>[] = [];
  for (let link = failure; typeof link === 'object' && link !== null && links.length < 5; link = (link as Record<string, unknown>).cause) {
    links.push(link as Record<string, unknown>);
  }
  return links;
}

/** The password of Basic credentials, as the user wrote it: `ClientSecretBasic` encodes it (RFC 6749 section 2.3.1). */
function basicPassword(credentials: string): string[] {
  try {
    const password = atob(credentials).replace(/^[^:]*:/, '');
    return [password, decodeURIComponent(password.replace(/\+/g, ' '))];
  } catch {
    return [];
  }
}
