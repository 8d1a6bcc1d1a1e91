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
const oneLine = (text: string): string => text.replace(CONTROL, ' ').trim().slice(0, 300);

/** Control characters and line separators (Unicode categories Cc, Zl and Zp). */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;
