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
import { sameToken } from './accessToken.js';
import type { TokenContext } from './context.js';
import type { Outcome } from './outcome.js';
import { waitersOf } from './state.js';
import type { AccessToken } from './types.js';

/** How somebody hears of the token. All are made of the same outcomes; the first subscriber starts the fetch. */
export interface TokenViews {
  /** The usable token now, then every new one. */
  readonly token$: Observable<AccessToken>;
  /** One usable token, now or within `maxWait`. */
  readonly take: (maxWait?: number) => Observable<AccessToken>;
  /** Forces a refresh, or joins the one under way, and emits its token. */
  readonly refresh: () => Observable<AccessToken>;
  /**
   * The token that the next attempt brings. Completes without one when the attempt fails and the token at hand serves on.
   *
   * @param begin called once the view waits
   */
  readonly next: (begin: () => void, maxWait?: number) => Observable<AccessToken>;
}

export interface TokenViewsHost {
  readonly outcome$: Observable<Outcome>;
  readonly use: () => AccessToken | null;
  readonly force: () => void;
}

export function createTokenViews(context: TokenContext, { outcome$, use, force }: TokenViewsHost): TokenViews {
  const { state, settings, now, timers, calls, look, current: usable } = context;

  /** What is told, after `begin` was called. */
  const after = (begin: () => void): Observable<Outcome> =>
    merge(
      outcome$,
      defer(() => {
        begin();
        return EMPTY;
      }),
    );

  /** The first token that `choose` finds. Completes without one when the stream closes. */
  const first = (
    outcomes$: Observable<Outcome>,
    choose: (outcome: Outcome) => AccessToken | null,
    maxWait = settings.maxWait,
  ): Observable<AccessToken> => {
    if (waitersOf(state) === 0) state.waitingSince = now();
    return inCallerContext(
      outcomes$.pipe(
        map(choose),
        filter((token) => token !== null),
        take(1),
        takeUntil(late(maxWait)),
      ),
    );
  };

  const orClosed = throwIfEmpty<AccessToken>(() => new TokenStreamClosedError());

  const late = (maxWait: number): Observable<never> =>
    timers.after(maxWait).pipe(
      map((): never => {
        const message = `no usable token within ${String(maxWait)} ms`;
        throw new TokenUnavailableError(message, { cause: state.lastError });
      }),
    );

  const take$ = (maxWait?: number): Observable<AccessToken> =>
    defer(() => {
      const token = use();
      if (token) return of(token);
      if (calls.owns()) throw new TokenUnavailableError('a token source cannot wait for its own token');
      return first(
        after(look),
        (outcome) => {
          if (outcome.type === 'token') return outcome.token;
          const serving = usable();
          if (serving || outcome.type === 'attemptFailed') return serving;
          throw outcome.error;
        },
        maxWait,
      ).pipe(orClosed);
    });

  /** A token that comes after the subscription, and not the one that is replayed to it. */
  const coming = (outcome: Outcome, known: Outcome | undefined): AccessToken | null => {
    if (outcome.type === 'token') return outcome === known ? null : outcome.token;
    if (outcome.type === 'attemptFailed') return null;
    throw outcome.error;
  };

  const listenerToken = (outcome: Outcome): AccessToken | null => {
    const token = usable();
    if (token) return token;
    if (outcome.type === 'failed') throw outcome.error;
    return outcome.type === 'token' ? outcome.token : null;
  };

  return {
    token$: defer(() => {
      // A token that is due is renewed first: its successor may come at once.
      use();
      state.listeners++;
      return after(look).pipe(
        map(listenerToken),
        filter((token) => token !== null),
        distinctUntilChanged<AccessToken>(sameToken),
        finalize(() => {
          state.listeners--;
          state.lastUse = now();
        }),
      );
    }),
    take: take$,
    refresh: () =>
      defer(() => {
        const known = state.held?.outcome;
        force();
        return first(after(look), (outcome) => coming(outcome, known)).pipe(orClosed);
      }),
    next: (begin, maxWait) =>
      defer(() => {
        const known = state.held?.outcome;
        const untilServesOn = takeWhile<Outcome>(({ type }) => type !== 'attemptFailed' || !usable());
        return first(after(begin).pipe(untilServesOn), (outcome) => coming(outcome, known), maxWait);
      }),
  };
}
