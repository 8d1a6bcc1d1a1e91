/** Form parameters that say nothing secret. Whatever else a request carries is taken for a secret. */
const HARMLESS = /^(grant_type|client_id|scope|resource|audience|\w+_type)$/;

/** Anything shorter would be found by chance. */
const WINDOW = 8;

/** What of a request must not come back in an error, in each form in which a server might echo it. */
export function secretsOf(body: unknown, headers: Readonly<Record<string, string>>): readonly string[] {
  const values =
    body instanceof URLSearchParams ? [...body].filter(([name]) => !HARMLESS.test(name)).map(([, value]) => value) : [];
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
  const inBase64 = [new TextEncoder().encode(value), Uint8Array.from(value, (char) => char.charCodeAt(0))].flatMap(
    base64Of,
  );
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

/** What is printed of a text: RFC 6749's own alphabet (section 5.2). No gap is wide enough to hide something behind it. */
const printed = (text: string): string => text.replace(/[^\x21-\x7e]+/g, ' ').trim();

/** What is left of a text that was put into JSON, into HTML, or twice into a URL. */
const unescaped = (text: string): string =>
  text
    .replace(/\\u([\da-f]{4})/gi, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    .replace(/\\+(.)/g, '$1')
    .replace(/&#(?:x([\da-f]{1,6})|(\d{1,7}));/gi, (_all, hex: string | undefined, decimal: string) =>
      String.fromCharCode(hex === undefined ? Number(decimal) : parseInt(hex, 16)),
    )
    .replace(
      /&(amp|lt|gt|quot|apos);/gi,
      (_all, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" })[name.toLowerCase()] ?? '',
    )
    .replace(/%25/g, '%');

/** Whether a text repeats a secret or a piece of one, in capitals or small letters, with whatever gaps. */
export function quotes(text: string, secrets: readonly string[]): boolean {
  if (/eyJ[\w-]{10,}/.test(text)) return true; // a JWT, whosever it is
  const readings = [...new Set([text, unescaped(text)])].map((reading) => printed(reading).toLowerCase());
  return secrets.some((secret) => {
    const small = printed(secret).toLowerCase();
    return readings.some((said) => repeats(said, small));
  });
}

function repeats(said: string, secret: string): boolean {
  const letters = secret.replaceAll(' ', '');
  if (letters.length <= WINDOW) return secret !== '' && said.includes(secret);
  const heard = said.replaceAll(' ', '');
  for (let from = 0; from + WINDOW <= heard.length; from++) {
    if (letters.includes(heard.slice(from, from + WINDOW))) return true;
  }
  return false;
}

/**
 * The `error` and `error_description` that a server sent, as far as they can be printed: in visible ASCII, bounded, and not
 * echoing what was sent.
 */
export function serverText(value: unknown, longest: number, secrets: readonly string[]): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = printed(value);
  // Only what would be printed is searched, and of that all: a megabyte of explanation would take seconds.
  if (quotes(text.slice(0, longest + WINDOW), secrets)) return '[redacted: it repeats a secret]';
  return text.length > longest ? `${text.slice(0, longest)}…` : text || undefined;
}

/** What a failure may tell: class names and codes. Messages, inputs, responses and buffers may hold anything. */
export function redactedCause(failure: unknown): Error | undefined {
  const links = chainOf(failure);
  const link = links.find(({ code }) => typeof code === 'string' && CODE.test(code)) ?? links[0];
  if (!link) return undefined;
  const { name, code } = link;
  const label = typeof name === 'string' && /^\w{1,60}$/.test(name) ? name : 'Error';
  return typeof code === 'string' && CODE.test(code)
    ? Object.assign(new Error(`${label} ${code}`), { code })
    : new Error(label);
}

/** The code of a failure that {@link redactedCause} let through, for a message. */
export const codeOf = (failure: unknown): string | undefined =>
  (redactedCause(failure) as { code?: string } | undefined)?.code;

const CODE = /^[A-Z][A-Z0-9_]{2,60}$/;

/** An error, its cause, the cause of that: `fetch failed` says nothing, what lies below says ECONNREFUSED. */
function chainOf(failure: unknown): Record<string, unknown>[] {
  const links: Record<string, unknown>[] = [];
  for (
    let link = failure;
    typeof link === 'object' && link !== null && links.length < 5;
    link = (link as Record<string, unknown>).cause
  ) {
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
