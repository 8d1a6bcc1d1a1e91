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

/** Fetches one token for a store. Fails after `limit` ms, or `GRACE` ms after `abandoned` has aborted. */
export async function fetchForStore(
  fetch$: Observable<TokenResponse>,
  { limit = Infinity, abandoned, timers }: { limit?: number; abandoned: AbortSignal; timers: Timers },
): Promise<TokenResponse> {
  const message = `no answer from the token source within ${String(Math.round(limit))} ms`;
  const late$ = failAfter(timers, limit, () => new TokenFetchTimeoutError(message));
  const abandoned$ = fromEvent(abandoned, 'abort').pipe(
    switchMap(() => failAfter(timers, GRACE, () => new TokenFetchTimeoutError('nobody waits for the token any more'))),
  );
  const response = await firstValueFrom(merge(fetch$.pipe(throwIfEmpty(withoutToken)), late$, abandoned$));
  checkTokenResponse(response);
  return response;
}
