/** Asks the user to sign in again. */
import { firstValueFrom } from 'rxjs';
import { asObservable } from '../internal/observableOf.js';
import { stopwatch, type Aged } from '../internal/stopwatch.js';
import { permanentError } from '../token/permanentError.js';
import type { TokenResponse } from '../token/types.js';
import type { Report } from './currentRefreshToken.js';
import type { RefreshTokenOptions } from './options.js';

/**
 * One sign-in at a time, however long the user takes, and however many requests have given up: to ask twice is worse
 * than to be late.
 *
 * @param accept judges what `reauthenticate` gave, or throws
 */
export function signInOnce(
  reauthenticate: NonNullable<RefreshTokenOptions['reauthenticate']>,
  accept: (given: unknown, age: () => number, report: Report) => Aged<TokenResponse>,
) {
  let running: Promise<Aged<TokenResponse>> | undefined;

  async function run(report: Report): Promise<Aged<TokenResponse>> {
    const age = stopwatch();
    const given$ = asObservable(reauthenticate());
    if (!given$) throw permanentError('reauthenticate must return a Promise, an Observable or the like');
    return accept(await firstValueFrom(given$, { defaultValue: undefined }), age, report);
  }

  return {
    running: () => running,
    begin: (report: Report): Promise<Aged<TokenResponse>> => {
      // Not in a `finally` of `run` itself: one that fails at once would be over before it is noted here, and stay for
      // ever.
      running = run(report).finally(() => (running = undefined));
      running.catch(() => undefined); // all who waited may have left
      return running;
    },
  };
}
