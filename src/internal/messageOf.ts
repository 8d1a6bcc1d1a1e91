const LONGEST = 300;

/** What an error says, on one line; without the credentials and the query of a URL, which may be secrets. */
export function messageOf(error: unknown): string {
  const { message } = (typeof error === 'object' && error !== null ? error : { message: error }) as {
    message?: unknown;
  };
  const text =
    typeof message === 'string' && message !== '' ? message : ((error as Error | null)?.name ?? typeof error);
  return text
    .replace(/\s+/g, ' ')
    .replace(/(\w+:\/\/)[^\s/?#@]*@/g, '$1')
    .replace(/(\w+:\/\/[^\s?#]*)[?#][^\s"')]*/g, '$1')
    .slice(0, LONGEST);
}
