/** The common part of all stores when they fetch: the time limit, and a response that can be stored. */
import { catchError, firstValueFrom, merge, throwIfEmpty, type Observable } from 'rxjs';
import { TokenFetchTimeoutError } from '../errors.js';
import { STORE_GRACE } from '../internal/time/grace.js';
import { GIVEN_BY } from '../internal/hiddenMembers.js';
import { aborted } from '../internal/async/onAbort.js';
import { failAfter, type Timers } from '../internal/time/timers.js';
import { permanentError } from '../answers/permanentError.js';
import { checkTokenResponse, noTokenError } from '../answers/tokenResponse.js';
import type { TokenResponse } from '../token/types.js';
import { isTokenResponse } from './storedResponse.js';

/**
 * Fetches one token for a store, and gives the response as all who share it will read it. Fails after `limit` ms, or
 * `STORE_GRACE` ms after `abandoned` has aborted.
 */
export async function fetchForStore(
  fetch$: Observable<TokenResponse>,
  { limit = Infinity, abandoned, timers }: { limit?: number; abandoned: AbortSignal; timers: Timers },
): Promise<TokenResponse> {
  const message = `no answer from the token source within ${String(Math.round(limit))} ms`;
  const late$ = failAfter(timers, limit, () => new TokenFetchTimeoutError(message));
  const abandoned$ = aborted(abandoned).pipe(
    catchError(() =>
      failAfter(timers, STORE_GRACE, () => new TokenFetchTimeoutError('nobody waits for the token any more')),
    ),
  );
  const response = await firstValueFrom(merge(fetch$.pipe(throwIfEmpty(noTokenError)), late$, abandoned$));
  checkTokenResponse(response);
  return storable(response);
}

/** A store keeps JSON. The cause of an error is left out: it names members of the response. */
function storable(response: TokenResponse): TokenResponse {
  let copy: unknown;
  try {
    copy = JSON.parse(JSON.stringify(response));
  } catch {
    throw permanentError(
      'the token response cannot be stored: JSON cannot hold it (a BigInt, an object that refers to itself)',
    );
  }
  if (!isTokenResponse(copy)) throw permanentError('the token response cannot be stored: as JSON it has no token');
  return Object.defineProperty(copy, GIVEN_BY, { value: (response as { [GIVEN_BY]?: unknown })[GIVEN_BY] });
}
