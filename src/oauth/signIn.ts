import { firstValueFrom, type ObservableInput } from 'rxjs';
import { stopwatch } from '../internal/stopwatch.js';
import { lifetimeOf } from '../token/refreshPolicy.js';
import { mistake } from '../token/tokenResponse.js';
import type { TokenRequest, TokenResponse } from '../token/types.js';
import { asObservable } from './source.js';

/** A token, and how many milliseconds ago it was asked for. */
export interface Renewal {
  readonly response: TokenResponse;
  readonly age: () => number;
}

/**
 * One sign-in at a time, however long the user takes, and however many requests have given up: to ask twice is worse
 * than to be late.
 *
 * @param check judges the response, or throws
 * @param adopt takes the refresh token into use, even of a response that is refused
 */
export function signInOnce(
  reauthenticate: () => ObservableInput<TokenResponse>,
  check: (response: TokenResponse) => TokenResponse,
  adopt: (response: TokenResponse, report: TokenRequest['report']) => void,
) {
  let running: Promise<Renewal> | undefined;
  let kept: Renewal | undefined;

  async function run(report: TokenRequest['report']): Promise<Renewal> {
    const age = stopwatch();
    const given$ = asObservable(reauthenticate());
    if (!given$) throw mistake('reauthenticate must return a Promise, an Observable or the like');
    const response = (await firstValueFrom(given$)) as TokenResponse;
    adopt(response, report);
    return (kept = { response: check(response), age });
  }

  return {
    /** What the sign-in under way will give, or what the last one gave when no request waited any more. */
    result: (): Promise<Renewal> | undefined =>
      running ?? (kept && isWorthKeeping(kept) ? Promise.resolve(kept) : undefined),
    begin: (report: TokenRequest['report']): Promise<Renewal> => {
      // Not in a `finally` of `run` itself: one that fails at once would be over before it is noted here, and stay for
      // ever.
      running = run(report).finally(() => (running = undefined));
      running.catch(() => undefined); // all who waited may have left
      return running;
    },
    kept: () => kept,
    dropKept: () => (kept = undefined),
  };
}

/** Where a refresh token came along, a younger token is to be had. */
const isWorthKeeping = (renewal: Renewal): boolean => !renewal.response.refresh_token && !isOver(renewal);

export const isOver = ({ response, age }: Renewal): boolean => age() >= lifetimeOf(response, Date.now() - age());
