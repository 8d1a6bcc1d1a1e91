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
import { blockingFailure, isOfSession } from './state.js';
import type { TokenUpdate } from './tokenUpdate.js';
import type { AccessToken } from './types.js';

/**
 * The Observables by which a token is handed out. All are made of the same updates; the first subscriber starts the
 * fetch.
 */
export interface TokenViews {
  /** The usable token now, then every new one. */
  readonly token$: Observable<AccessToken>;
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

/** @param use the token for a request that leaves now. @param force makes the next check refresh */
export function createTokenViews(
  context: TokenContext,
  updates$: Observable<TokenUpdate>,
  { use, force }: { readonly use: () => AccessToken | null; readonly force: () => void },
): TokenViews {
  const { state, settings, now, timers, fetcher, recheck, current } = context;

  /** The updates. `begin` is called once they are subscribed, so that none of what it causes is missed. */
  const updatesAfter = (begin: () => void): Observable<TokenUpdate> =>
    merge(
      updates$,
      defer(() => {
        begin();
        return EMPTY;
      }),
    );

  /** The first token that `select` finds in the updates. Completes without one when the stream closes. */
  const firstToken = (
    tokenUpdates$: Observable<TokenUpdate>,
    select: (update: TokenUpdate) => AccessToken | null,
    maxWait = settings.maxWait,
  ): Observable<AccessToken> => {
    if (state.waiters++ === 0) state.waitingSince = now();
    return inCallerContext(
      tokenUpdates$.pipe(
        map(select),
        filter((token) => token !== null),
        take(1),
        takeUntil(failAfter(timers, maxWait, () => unavailableWithin(maxWait))),
        finalize(() => state.waiters--),
      ),
    );
  };

  const unavailableWithin = (maxWait: number) =>
    new TokenUnavailableError(`no usable token within ${String(maxWait)} ms`, { cause: state.lastError });

  const throwIfClosed = throwIfEmpty<AccessToken>(() => new TokenStreamClosedError());

  /** For a subscriber of the stream: it stays while a token is usable, and hears of no failure meanwhile. */
  const tokenForListener = (update: TokenUpdate): AccessToken | null => {
    const usable = current();
    if (usable) return usable;
    if (update.type === 'failed') throw update.error;
    return update.type === 'token' ? update.token : null;
  };

  /** For a request: it waits while another attempt may come. */
  const tokenForRequest = (update: TokenUpdate): AccessToken | null => {
    if (update.type === 'token') return update.token;
    // There may be a token of the next session already.
    const usable = update.type === 'signedOut' ? null : current();
    if (usable || update.type === 'attemptFailed') return usable;
    throw update.error;
  };

  /**
   * An attempt failed, and the token that was replayed stays in use. By identity: the same token may have come again.
   */
  const staysInUse = (replayed: TokenUpdate | null, { type }: TokenUpdate): boolean =>
    type === 'attemptFailed' && current() !== null && state.held === replayed;

  /** For someone who needs another token than the one at hand, which is replayed to each new subscriber. */
  const tokenOtherThan =
    (replayed: TokenUpdate | null) =>
    (update: TokenUpdate): AccessToken | null => {
      if (update.type === 'token') return update === replayed ? null : update.token;
      // Another token may have come, been rejected before it was passed on, and be usable again by this failure.
      if (update.type === 'attemptFailed') return state.held === replayed ? null : current();
      throw update.error;
    };

  return {
    token$: defer(() => {
      // A token that is to be renewed is renewed first: its successor may come at once.
      use();
      return updatesAfter(recheck).pipe(
        map(tokenForListener),
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
        return firstToken(updatesAfter(recheck), tokenForRequest, maxWait).pipe(throwIfClosed);
      }),
    refresh: () =>
      defer(() => {
        const select = tokenOtherThan(state.held);
        force();
        // The updates tell of it only where no token is usable.
        const failure = blockingFailure(state, now());
        if (failure) throw failure;
        return firstToken(updatesAfter(recheck), select).pipe(throwIfClosed);
      }),
    next: (begin, maxWait) =>
      defer(() => {
        const { held: replayed, failures } = state;
        // A caller that begins to wait in a `refreshFailed` listener waits for the attempt after that one.
        const isWaitOver = (update: TokenUpdate) => state.failures !== failures && staysInUse(replayed, update);
        const untilItFails$ = updatesAfter(begin).pipe(takeWhile((update) => !isWaitOver(update)));
        return firstToken(untilItFails$, tokenOtherThan(replayed), maxWait);
      }),
  };
}
