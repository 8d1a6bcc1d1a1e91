/** The stream during server-side rendering, where there is no token. */
import { asyncScheduler, defer, ignoreElements, subscribeOn, type Observable } from 'rxjs';
import { TokenStreamClosedError, TokenUnavailableError } from '../errors.js';
import { createTokenStream, managerOf, streamOf } from '../token/tokenStream.js';
import type { TokenStream } from '../token/types.js';

/**
 * A stream that fetches nothing. What a page shows of it, and connections, stay silent until it is closed, as before
 * the first token. Whoever waits for one token fails: none will come, and a guard that waits would block the rendering.
 */
export function streamOnServer(): TokenStream {
  const manager = managerOf(createTokenStream(() => noToken()));
  // An error in the signal of a component stops its first change detection, and the page would lack the rest. Of an
  // application without zones, that is in a timer which is set after this one, when the component has been made.
  const noToken = (): Observable<never> =>
    defer(() => {
      throw manager.isClosed()
        ? new TokenStreamClosedError()
        : new TokenUnavailableError('no token on a server: let guards pass if isPlatformServer()');
    }).pipe(subscribeOn(asyncScheduler), subscribeOn(asyncScheduler));
  const silent$ = manager.events$.pipe(ignoreElements());
  return streamOf({ ...manager, token$: silent$, take: noToken, takeForConnection: () => silent$, refresh: noToken });
}
