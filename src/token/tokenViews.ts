/** The Observables that hand out the token: to subscribers, to requests, and to callers that need a different one. */
import {
  defer,
  distinctUntilChanged,
  EMPTY,
  filter,
  finalize,
  map,
  merge,
  of,
  take,
  takeUntil,
  takeWhile,
  throwIfEmpty,
} from 'rxjs';
import type { Observable } from 'rxjs';
import { TokenStreamClosedError, TokenUnavailableError } from '../errors.js';
import { inCallerContext } from '../internal/callerContext.js';
import { failAfter } from '../internal/timers.js';
import { sameToken } from './accessToken.js';
import type { TokenContext } from './context.js';
import type { Pipeline } from './pipeline.js';
import { blockingFailure, earlyEndOfPause, isFresh, isOfSession, isReplacing, type TokenState } from './state.js';
import type { TokenUpdate } from './tokenUpdate.js';
import type { AccessToken } from './types.js';

/**
 * The Observables by which a token is handed out. All are made of the same updates; the first subscriber starts the
 * fetch.
 */
export interface TokenViews {
  /** The usable token now, then every new one. */
  readonly token$: Observable<AccessToken>;
  /** The token for a request that leaves now, or null if it must wait. */
  readonly use: () => AccessToken | null;
  /** One usable token, now or within `maxWait`. */
  readonly take: (maxWait?: number) => Observable<AccessToken>;
  /** Forces a refresh, or joins the one under way, and emits its token. */
  readonly refresh: () => Observable<AccessToken>;
  /**
   * The token that the next attempt brings. Completes without one when the attempt fails and the token at hand stays
   * usable.
   *
   * @param begin called once the view waits
   */
  readonly next: (begin: () => void, maxWait?: number) => Observable<AccessToken>;
}

/** All that a request with a fresh token costs. */
export function useFresh(state: TokenState, now: () => number): AccessToken | null {
  const { held } = state;
  if (!held) return null;
  const time = now();
  if (!isFresh(held, time)) return null;
  state.lastUse = time;
  return held.token;
}

export function createTokenViews(context: TokenContext, { updates$, demand }: Pipeline): TokenViews {
  const { state, now, fetcher, recheck, current } = context;
  const checkedUpdates$ = subscribeThen(updates$, recheck);

  const use = (): AccessToken | null => {
    const fresh = useFresh(state, now);
    if (fresh || !current()) return fresh;
    state.lastUse = now();
    demand();
    // A source that answers at once has replaced it.
    return current();
  };

  return {
    use,
    token$: defer(() => {
      // A token that is to be renewed is renewed first: its successor may come at once.
      use();
      return checkedUpdates$.pipe(
        map((update) => tokenForListener(update, current())),
        filter((token) => token !== null),
        // The next session may begin with the same token.
        distinctUntilChanged((last, next) => isOfSession(state, last) && sameToken(last, next)),
        finalize(() => (state.lastUse = now())),
      );
    }),
    take: (maxWait) =>
      defer(() => {
        const token = use();
        if (token) return of(token);
        if (fetcher.owns()) throw new TokenUnavailableError('a token source cannot wait for its own token');
        const select = (update: TokenUpdate) => tokenForRequest(update, current());
        return firstToken(context, checkedUpdates$, select, maxWait).pipe(throwIfClosed);
      }),
    refresh: () =>
      defer(() => {
        const { held } = state;
        forceRefresh(context);
        // The updates tell of it only where no token is usable.
        const failure = blockingFailure(state, now());
        if (failure) throw failure;
        return firstToken(context, checkedUpdates$, tokenOtherThan(held, context)).pipe(throwIfClosed);
      }),
    next: (begin, maxWait) =>
      defer(() => {
        const { held, failures } = state;
        // A caller that begins to wait in a `refreshFailed` listener waits for the attempt after that one.
        const isWaitOver = (update: TokenUpdate) => state.failures !== failures && staysInUse(held, update, context);
        const untilItFails$ = subscribeThen(updates$, begin).pipe(takeWhile((update) => !isWaitOver(update)));
        return firstToken(context, untilItFails$, tokenOtherThan(held, context), maxWait);
      }),
  };
}

/** The next check refreshes, unless the token is being replaced. */
function forceRefresh({ state, settings, now }: TokenContext): void {
  state.pausedUntil = earlyEndOfPause(state, settings.backoff);
  if (!isReplacing(state) && !blockingFailure(state, now())) state.forcedBy = 'manual';
}

const throwIfClosed = throwIfEmpty<AccessToken>(() => new TokenStreamClosedError());

/** The updates. `begin` is called once they are subscribed to, so that none of what it causes is missed. */
const subscribeThen = (updates$: Observable<TokenUpdate>, begin: () => void): Observable<TokenUpdate> =>
  merge(
    updates$,
    defer(() => {
      begin();
      return EMPTY;
    }),
  );

/** The first token that `select` finds in the updates. Completes without one when the stream closes. */
function firstToken(
  { state, settings, now, timers, waiting }: TokenContext,
  updates$: Observable<TokenUpdate>,
  select: (update: TokenUpdate) => AccessToken | null,
  maxWait = settings.maxWait,
): Observable<AccessToken> {
  const waiter = { since: now() };
  waiting.add(waiter);
  const unavailable = () =>
    new TokenUnavailableError(`no usable token within ${String(maxWait)} ms`, { cause: state.lastError });
  return inCallerContext(
    updates$.pipe(
      map(select),
      filter((token) => token !== null),
      take(1),
      takeUntil(failAfter(timers, maxWait, unavailable)),
      finalize(() => waiting.delete(waiter)),
    ),
  );
}

/** For a subscriber of the stream: it stays while a token is usable, and hears of no failure meanwhile. */
function tokenForListener(update: TokenUpdate, usable: AccessToken | null): AccessToken | null {
  if (usable) return usable;
  if (update.type === 'failed') throw update.error;
  return update.type === 'token' ? update.token : null;
}

/** For a request: it waits while another attempt may come. */
function tokenForRequest(update: TokenUpdate, usable: AccessToken | null): AccessToken | null {
  if (update.type === 'token') return update.token;
  if (update.type === 'attemptFailed') return usable;
  // There may be a token of the next session already.
  if (update.type === 'failed' && usable) return usable;
  throw update.error;
}

/** For someone who needs another token than the one at hand, which is replayed to each new subscriber. */
const tokenOtherThan =
  (replayed: TokenUpdate | null, { state, current }: TokenContext) =>
  (update: TokenUpdate): AccessToken | null => {
    if (update.type === 'token') return update === replayed ? null : update.token;
    // Another token may have come, been rejected before it was passed on, and be usable again by this failure.
    if (update.type === 'attemptFailed') return state.held === replayed ? null : current();
    throw update.error;
  };

/**
 * An attempt failed, and the token that was replayed stays in use. By identity: the same token may have come again.
 */
const staysInUse = (replayed: TokenUpdate | null, { type }: TokenUpdate, { state, current }: TokenContext): boolean =>
  type === 'attemptFailed' && current() !== null && state.held === replayed;
