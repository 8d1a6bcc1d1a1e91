const LONGEST = 300;

const CREDENTIALS = /\/\/[^\s/?#]*@/g;

/** Of a URL, absolute or not: a word with a slash. It ends at a blank, but for what closes a quotation or a sentence. */
const QUERY = /(?<![^\s"'(])([^\s"'(?#]*\/[^\s?#]*)[?#]\S+?(["')\]>}]{0,3}[:;,.]?)(?=\s|$)/g;

/** What the platform quotes of a body or a header that it cannot read: `"s3cr3t" is not valid JSON`. */
const UNREADABLE =
  /(\.{3})?"[^]*"(\.{3})?(?= is (not valid JSON|an invalid header value)\b)|(?<=Unexpected identifier )"[^]*"/g;

/** What follows a scheme in a header (RFC 9110 section 11.4): longer than a word. */
const AUTHORIZATION = /\b(Basic|Bearer|DPoP) [\w.~+/=-]{16,}/gi;

/** What an error says, on one line; without what may be a secret: the query of a URL, its credentials, a quoted body or header. */
export function messageOf(error: unknown): string {
  const message = typeof error === 'object' ? textIn(error, 'message') : textOf(error);
  return (message ?? textIn(error, 'name') ?? typeof error)
    .replace(/\s+/g, ' ')
    .replace(UNREADABLE, '…')
    .replace(AUTHORIZATION, '$1 …')
    .replace(CREDENTIALS, '//')
    .replace(QUERY, '$1$2')
    .slice(0, LONGEST);
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** A member that says something. Whoever made the error may have made it a getter that throws. */
function textIn(error: unknown, member: 'message' | 'name'): string | undefined {
  try {
    return textOf((error as Partial<Error> | null | undefined)?.[member]);
  } catch {
    return undefined;
  }
}
