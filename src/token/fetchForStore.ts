import { firstValueFrom, fromEvent, map, merge, switchMap, take, throwIfEmpty, type Observable } from 'rxjs';
import { InvalidTokenResponseError, TokenFetchTimeoutError } from '../errors.js';
import type { Timers } from '../internal/timers.js';
import { checkTokenResponse } from './tokenResponse.js';
import type { TokenResponse } from './types.js';

/** A fetch that nobody waits for any more has this long to end: it may have used up a refresh token, and what it brings must not be lost. Milliseconds. */
const GRACE = 2000;

/** What a store fetches while it keeps others from it: the first token, within the limit, or soon after nobody waits any more. */
export async function fetchForStore(
  fetch$: Observable<TokenResponse>,
  { limit = Infinity, abandoned, timers }: { limit?: number; abandoned: AbortSignal; timers: Timers },
): Promise<TokenResponse> {
  const late$ = timers.after(limit).pipe(
    map((): never => {
      throw new TokenFetchTimeoutError(
        `no answer from the token source within ${String(Math.round(limit))} ms, which is what the lease leaves`,
      );
    }),
  );
  const abandoned$ = fromEvent(abandoned, 'abort').pipe(
    switchMap(() => timers.after(GRACE)),
    map((): never => {
      throw new TokenFetchTimeoutError('nobody waits for the token any more');
    }),
  );
  const fetched$ = fetch$.pipe(
    throwIfEmpty(() => new InvalidTokenResponseError('the token source completed without a token')),
  );
  const response = await firstValueFrom(merge(fetched$, late$, abandoned$).pipe(take(1)));
  checkTokenResponse(response);
  return response;
}
