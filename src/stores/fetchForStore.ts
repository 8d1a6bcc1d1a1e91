import { firstValueFrom, fromEvent, merge, switchMap, throwIfEmpty, type Observable } from 'rxjs';
import { TokenFetchTimeoutError } from '../errors.js';
import { failAfter, type Timers } from '../internal/timers.js';
import { checkTokenResponse, withoutToken } from '../token/tokenResponse.js';
import type { TokenResponse } from '../token/types.js';

/**
 * A fetch without a waiter has this long to end: it may have used up a refresh token, and what it brings must not be
 * lost. Milliseconds.
 */
const GRACE = 2000;

/**
 * What a store fetches while others must wait: the first token, within the limit, or soon after the last waiter has
 * left.
 */
export async function fetchForStore(
  fetch$: Observable<TokenResponse>,
  { limit = Infinity, abandoned, timers }: { limit?: number; abandoned: AbortSignal; timers: Timers },
): Promise<TokenResponse> {
  const within = `within ${String(Math.round(limit))} ms, which is what the lease leaves`;
  const late$ = failAfter(timers, limit, () => new TokenFetchTimeoutError(`no answer from the token source ${within}`));
  const abandoned$ = fromEvent(abandoned, 'abort').pipe(
    switchMap(() => failAfter(timers, GRACE, () => new TokenFetchTimeoutError('nobody waits for the token any more'))),
  );
  const response = await firstValueFrom(merge(fetch$.pipe(throwIfEmpty(withoutToken)), late$, abandoned$));
  checkTokenResponse(response);
  return response;
}
