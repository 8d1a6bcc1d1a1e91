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
  return values.filter((value) => value !== '').flatMap((value) => [...new Set([value, encodeURIComponent(value)])]);
}

/** Whether a text repeats a secret or a piece of one. */
export function quotes(text: string, secrets: readonly string[]): boolean {
  if (/eyJ[\w-]{10,}/.test(text)) return true; // a JWT, whosever it is
  return secrets.some((secret) => {
    if (secret.length <= WINDOW) return text.includes(secret);
    for (let from = 0; from + WINDOW <= text.length; from++) {
      if (secret.includes(text.slice(from, from + WINDOW))) return true;
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
