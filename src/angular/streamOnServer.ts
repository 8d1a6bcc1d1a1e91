/** The stream during server-side rendering, where there is no token. */
import { EMPTY, NEVER, throwError } from 'rxjs';
import { TokenUnavailableError } from '../errors.js';
import { settingsOf } from '../token/options.js';
import { createManager } from '../token/tokenManager.js';
import { streamOf } from '../token/tokenStream.js';
import type { TokenStream } from '../token/types.js';
import { never } from './zones.js';

/**
 * A stream without tokens and timers. What a page shows of it stays silent, as before the first token. Whoever waits
 * for one token fails at once: none will come, and a guard that waits would block the rendering.
 */
export function streamOnServer(): TokenStream {
  const noToken = () =>
    throwError(
      () => new TokenUnavailableError('no token is fetched on a server: a guard must let pass if isPlatformServer()'),
    );
  const manager = createManager(() => NEVER, settingsOf({ scheduler: never, wake: EMPTY }));
  return streamOf({ ...manager, take: noToken, refresh: noToken });
}
