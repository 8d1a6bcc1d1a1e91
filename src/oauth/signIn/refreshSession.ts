/** The life of one sign-in: its refreshes, and its end. */
import { TokenUnavailableError } from '../../errors.js';
import { EXCHANGE_GRACE } from '../../internal/time/grace.js';
import { HEAD_START, originalOf } from '../../internal/hiddenMembers.js';
import { stopwatch, type Aged } from '../../internal/time/stopwatch.js';
import { lifetimeOf } from '../../token/decisions/lifetime.js';
import type { TokenRequest, TokenResponse } from '../../token/types.js';
import { orAborted } from '../../internal/async/onAbort.js';
import { createRenewal, type RenewalOptions } from './renewal.js';
import { singleFlight } from './singleFlight.js';
import { outliveCaller } from '../outliveCaller.js';

/** One user who is signed in, and the requests that wait for a token of theirs. */
export function createRefreshSession(options: RenewalOptions) {
  const { forgotten } = options;
  const ending = new AbortController();
  const ended = ending.signal;
  /** The last token, until a request has got it: all may have timed out before the user or `onRotate` was done. */
  let undelivered: Aged<TokenResponse> | undefined;
  const { renew, refreshTokens } = createRenewal(options, ended, (renewal) => (undelivered = renewal));

  const refresh = singleFlight(async (signal, request: TokenRequest): Promise<Aged<TokenResponse>> => {
    const original = originalOf(request);
    const report = request.report ?? original.report;
    // Another process has rotated since.
    if (refreshTokens.takeFromStore(original.last)) undelivered = undefined;
    if (undelivered && !isOver(undelivered)) return undelivered;
    const renewal = await renew(signal, report);
    undelivered = renewal;
    // It rejects only if the signal aborts: `takeFrom` reports its own failures.
    await orAborted(refreshTokens.takeFrom(renewal.response, report), signal).catch(() =>
      report?.(new Error('onRotate has not finished: the new refresh token is in use, but perhaps not stored')),
    );
    return renewal;
  }, EXCHANGE_GRACE);

  return {
    fetch: async (request: TokenRequest): Promise<TokenResponse> => {
      const waited = stopwatch();
      const original = originalOf(request);
      const isShared = original.last !== undefined;
      // A store waits longer, in order to keep what the exchange brings.
      const delay = () => (isShared ? EXCHANGE_GRACE : 0);
      const join = (signal: AbortSignal) => orAborted(refresh(signal, request), ended);
      const { response, age } = await outliveCaller(request.signal, delay, join);
      undelivered = undefined;
      Reflect.defineProperty(original, HEAD_START, { value: Math.ceil(age() - waited()) });
      // A store needs the refresh token even if the server did not send it again.
      return isShared ? refreshTokens.addTo(response) : response;
    },
    /**
     * The user signs out. What the session holds, and what still comes, is forgotten and revoked: it is neither stored
     * nor handed out. Requests that wait get an error. A sign-in under way is not awaited.
     *
     * @param last the response that brought the token of the stream, perhaps by way of another process
     */
    end: (last: TokenResponse | undefined) => {
      ending.abort(new TokenUnavailableError('the user has signed out'));
      refreshTokens.forget();
      forgotten.revoke(undelivered?.response);
      forgotten.revoke(last);
    },
  };
}

const isOver = ({ response, age }: Aged<TokenResponse>): boolean => age() >= lifetimeOf(response, Date.now() - age());
