/** Waits for the token that a command prints, and fails as soon as the first attempt fails. */
import { asapScheduler, filter, firstValueFrom, fromEvent, map, merge, observeOn, type Observable } from 'rxjs';
import { TokenUnavailableError } from '../errors.js';
import { takeToken } from '../token/takeToken.js';
import type { AccessToken, TokenStream } from '../token/types.js';

/**
 * The first token, or what `refresh()` brings. A failure is told at once: whoever has written the command line waits for
 * it. Null, if the process is asked to end.
 */
export function awaitToken(
  token$: TokenStream,
  stop: AbortSignal,
  taken$ = takeToken(token$),
): Promise<AccessToken | null> {
  const failure$ = token$.events.pipe(
    filter((event) => event.type === 'refreshFailed'),
    // One that the token survives, such as a store that cannot be written to, is not the end.
    filter(({ permanent, retryIn }) => permanent || retryIn !== null),
    // If a token has expired on arrival, the event that says so comes just before the token: the token counts.
    observeOn(asapScheduler),
    map(({ error: cause }): never => {
      throw new TokenUnavailableError('no token', { cause });
    }),
  );
  const stopped$: Observable<null> = fromEvent(stop, 'abort').pipe(map(() => null));
  return stop.aborted ? Promise.resolve(null) : firstValueFrom(merge(failure$, stopped$, taken$));
}
