import { isTokenError } from 'rx-fresh-token';

/** An error and its causes in one line, each said once. */
export function explain(error: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = error; at instanceof Error && parts.length < 5; at = at.cause) {
    const said = oneLine(at.message || ((at as NodeJS.ErrnoException).code ?? at.name));
    if (!parts.some((part) => part.includes(said))) parts.push(said);
    // It says itself what lies beneath it.
    if (isTokenError(at, 'ERR_TOKEN_ENDPOINT')) break;
  }
  return parts.length === 0 ? oneLine(String(error)) : parts.join(': ');
}

/** Whatever a server put into a message must not move the cursor or fill the screen. */
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const oneLine = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim().slice(0, 300);
