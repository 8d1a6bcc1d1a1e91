/** The state of one refresh through Redis, shared by the steps that ask, fetch and store. */
import type { Fetch, StoreRefresh } from '../../stores/storeRefresh.js';
import type { StoredToken } from '../../token/tokenStore.js';
import type { RefreshReason, TokenRequest, TokenResponse } from '../../token/types.js';
import type { Ask, Kind } from '../scripts/protocol.js';
import type { StoreContext } from '../storeContext.js';
import type { TokenRecord } from '../records/tokenRecord.js';

/** One call of the store's `refresh`, with what is known and has been done so far. */
export interface RedisRefresh extends StoreRefresh, Ask {
  /** Because the application wants a token now, or the failure was that of another process' credentials. */
  shortensPause: boolean;
  beyond: number;
  /** Whether `beyond` is the generation of the previous token. */
  knowsPrevious: boolean;
  /** That Redis is not available has been reported. */
  isReported: boolean;
}

const KINDS: Partial<Record<RefreshReason, Kind>> = { manual: 'forced', rejected: 'rejected' };

/** A timer may be early by less than this. Milliseconds. */
const EARLY = 20;

export function beginRefresh(
  { cache, session, now, pausedUntil }: StoreContext,
  request: TokenRequest,
  fetch: Fetch,
  abandoned: AbortSignal,
): RedisRefresh {
  const { generation, isExact } = cache.generationOf(request.previous);
  const isEarly = now() < pausedUntil - EARLY;
  return {
    request,
    fetch,
    abandoned,
    owner: crypto.randomUUID(),
    kind: KINDS[request.reason] ?? '',
    shortensPause: isEarly || (request.reason === 'manual' && request.attempt === 1),
    isSignedOut: session.watch(),
    beyond: Math.max(generation, session.lastEnded()),
    knowsPrevious: isExact,
    isReported: false,
  };
}

export const isPrevious = ({ request: { previous } }: RedisRefresh, { response }: TokenRecord): boolean =>
  response.access_token === previous?.value;

/** A token that Redis has not stored is used by this process only; null when the user has signed out. */
export function useLocally(
  { cache, now }: StoreContext,
  { isSignedOut }: RedisRefresh,
  response: TokenResponse,
  requestedAt: number,
): StoredToken | null {
  if (isSignedOut()) return null;
  cache.addLocal(response);
  return { response, age: Math.ceil(now() - requestedAt), origin: 'fetched' };
}
