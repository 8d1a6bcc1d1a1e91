const LONGEST = 300;

const CREDENTIALS = /\/\/[^\s/?#]*@/g;

/** Of a URL, absolute or not: a word with a slash. It ends at a blank, but for what closes a quotation or a sentence. */
const QUERY = /(?<![^\s"'(])([^\s"'(?#]*\/[^\s?#]*)[?#]\S+?(["')\]>}]{0,3}[:;,.]?)(?=\s|$)/g;

/** What an error says, on one line; without the credentials and the query of a URL, which may be secrets. */
export function messageOf(error: unknown): string {
  const message = typeof error === 'object' ? textIn(error, 'message') : textOf(error);
  return (message ?? textIn(error, 'name') ?? typeof error)
    .replace(/\s+/g, ' ')
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
