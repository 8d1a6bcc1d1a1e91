/** The stream during server-side rendering, where there is no token. */
import { ignoreElements, throwError } from 'rxjs';
import { TokenUnavailableError } from '../errors.js';
import { createTokenStream, managerOf, streamOf } from '../token/tokenStream.js';
import type { TokenStream } from '../token/types.js';

/**
 * A stream that fetches nothing and starts no timer. What a page shows of it stays silent until it is closed, as before
 * the first token. Whoever waits for one token fails at once: none will come, and a guard that waits would block the
 * rendering.
 */
export function streamOnServer(): TokenStream {
  const noToken = () =>
    throwError(() => new TokenUnavailableError('no token on a server: let guards pass if isPlatformServer()'));
  const manager = managerOf(createTokenStream(noToken));
  const silent$ = manager.events$.pipe(ignoreElements());
  return streamOf({ ...manager, token$: silent$, take: noToken, refresh: noToken });
}
