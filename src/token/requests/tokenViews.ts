/** The Observables that hand out the token: to subscribers, to requests, and to callers that need a different one. */
import { defer, distinctUntilChanged, filter, finalize, map, Observable, of } from 'rxjs';
import { TokenUnavailableError } from '../../errors.js';
import { sameToken } from '../decisions/accessToken.js';
import type { TokenContext } from '../pipeline/context.js';
import { firstToken } from './firstToken.js';
import { earlyEndOfPause } from '../decisions/pauses.js';
import type { Pipeline } from '../pipeline/pipeline.js';
import { blockingFailure, freshHeld, isOfSession, isReplacing, pauseLeft, signedOutError } from '../decisions/state.js';
import type { StreamState } from '../decisions/state.js';
import type { TokenUpdate } from '../decisions/receivedToken.js';
import type { AccessToken } from '../types.js';

/** The token if it is fresh, else null. Nothing else runs for a request that gets it. */
export function useFresh(state: StreamState, now: () => number): AccessToken | null {
  const time = now();
  const fresh = freshHeld(state, time);
  if (fresh) state.lastUse = time;
  return fresh?.token ?? null;
}

/** The usable token, or null. Begins the renewal if that is due: a synchronous source has answered on return. */
function useUsable({ state, now, current }: TokenContext, run: Pipeline['run']): AccessToken | null {
  const fresh = useFresh(state, now);
  if (fresh) return fresh;
  if (!current()) return null;
  state.lastUse = now();
  run();
  return current();
}

/** What a subscriber of `token$` is given; null: nothing. Throws the permanent failure if no token is usable. */
export function viewOf(update: TokenUpdate, usable: AccessToken | null): AccessToken | null {
  if (usable) return usable;
  if (update.type === 'failed') throw update.error;
  // Not usable and yet a token: it expired on arrival and is used once.
  return update.type === 'token' ? update.token : null;
}

/** Has a refresh follow, unless one is under way. Throws the permanent failure if no request would wait so long. */
function markForced({ state, settings, now }: TokenContext): void {
  state.pausedUntil = earlyEndOfPause(state, settings.backoff);
  const failure = blockingFailure(state, now());
  if (failure && pauseLeft(state, now()) > settings.maxWait) throw failure;
  // The user may have signed in since. What is left of the pause is waited out, as after any other failure.
  state.permanentFailure = null;
  if (!isReplacing(state)) state.forcedBy = 'manual';
}

export type TokenViews = ReturnType<typeof createTokenViews>;

/** All views are made of the same updates; the first subscriber starts the fetch. */
export function createTokenViews(context: TokenContext, { updates$, run }: Pipeline) {
  const { state, now, fetcher, recheck, current } = context;
  // `recheck` runs after subscribing, so that what a synchronous source answers reaches this subscriber. Hand-made,
  // since with `merge` and `defer` each waiter takes a fifth more memory.
  const checkedUpdates$ = new Observable<TokenUpdate>((subscriber) => {
    updates$.subscribe(subscriber);
    // It may have been given all it needs.
    if (!subscriber.closed) recheck();
  });

  /** The token for a request that leaves now, or null if it must wait. */
  const use = (): AccessToken | null => {
    const session = state.sessionTokens;
    const token = useUsable(context, run);
    // The source, or a listener, may have signed out.
    if (state.sessionTokens !== session) throw signedOutError();
    return token;
  };

  return {
    use,
    /** The usable token now, then every new one. */
    token$: defer(() => {
      // A synchronous source has answered before the replay, so the old token is not emitted.
      useUsable(context, run);
      return checkedUpdates$.pipe(
        map((update) => viewOf(update, current())),
        filter((token) => token !== null),
        // The next session may begin with the same token.
        distinctUntilChanged((last, next) => isOfSession(state, last) && sameToken(last, next)),
        // `idleTimeout` counts from when the last subscriber left.
        finalize(() => (state.lastUse = now())),
      );
    }),
    /** One usable token, now or within `maxWait`. */
    take: (maxWait?: number): Observable<AccessToken> =>
      defer(() => {
        const token = use();
        if (token) return of(token);
        if (fetcher.isOfSource()) throw new TokenUnavailableError('a token source cannot wait for its own token');
        return firstToken(context, checkedUpdates$, { maxWait });
      }),
    /** Forces a refresh, or joins the one under way, and emits its token. */
    refresh: (): Observable<AccessToken> =>
      defer(() => {
        const { held } = state;
        markForced(context);
        return firstToken(context, checkedUpdates$, { otherThan: held });
      }),
  };
}
