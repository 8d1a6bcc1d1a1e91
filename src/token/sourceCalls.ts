import {
  AsyncSubject,
  defer,
  finalize,
  from,
  map,
  merge,
  Observable,
  of,
  Subject,
  switchMap,
  take,
  tap,
  throwIfEmpty,
} from 'rxjs';
import { InvalidTokenResponseError, TokenFetchTimeoutError } from '../errors.js';
import { headStartOf, principalOf } from '../internal/sourceHooks.js';
import type { Timers } from '../internal/timers.js';
import type { Settings } from './options.js';
import type { TokenRequest, TokenResponse, TokenSource } from './types.js';

/** What the source, or the store before it, answered. */
export interface Answer {
  readonly response: TokenResponse;
  /** Milliseconds since the token was asked for. Absent: it was this request that asked. */
  readonly age?: number;
  /** Milliseconds by which the exchange that brought it was sent before it was asked for here. Default 0. */
  readonly headStart?: number;
  readonly origin: 'fetched' | 'shared' | 'initial';
}

export type Ask = (
  about: Pick<TokenRequest, 'reason' | 'attempt' | 'previous'>,
  report: (failure: unknown) => void,
) => Observable<Answer>;

/** Asks the source for one token, within `fetchTimeout`; and knows which requests are the source's own, and need no token. */
export function createSourceCalls(
  source: TokenSource,
  { fetchTimeout, store }: Pick<Settings, 'fetchTimeout' | 'store'>,
  timers: Timers,
) {
  const signals = new WeakSet<AbortSignal>();
  let calling = false;
  let pending: AbortSignal | undefined;

  /** A synchronous answer is passed on only after the source has returned, or whoever it serves would count as the source. */
  const call = (request: TokenRequest): Observable<TokenResponse> =>
    new Observable((subscriber) => {
      const answer = new AsyncSubject<TokenResponse>();
      calling = true;
      subscriber.add(
        defer(() => from(source(request)))
          .pipe(take(1))
          .subscribe(answer),
      );
      calling = false;
      return answer.subscribe(subscriber);
    });

  const ask: Ask = (about, report) =>
    defer(() => {
      const controller = new AbortController();
      let reported: unknown;
      const tell = (failure: unknown) => {
        reported = failure;
        report(failure);
      };
      const request: TokenRequest = Object.defineProperty({ ...about, signal: controller.signal }, 'report', {
        value: tell,
      });
      signals.add((pending = controller.signal));
      let answered = false;
      // A store may have to wait for another's fetch first, and for that one to be given up; then comes this one.
      let limit = store ? 2 * fetchTimeout : fetchTimeout;
      const begun$ = new Subject<void>();
      const fetched$ = defer(() => {
        limit = fetchTimeout;
        begun$.next();
        return call(request);
      });
      const fetchAfter = (last?: TokenResponse | null) => {
        if (last !== undefined) Object.defineProperty(request, 'last', { value: last, configurable: true });
        return fetched$;
      };
      const answer$: Observable<Answer> = store
        ? from(store.refresh(request, fetchAfter))
        : fetched$.pipe(map((response) => ({ response, origin: 'fetched' })));
      const late$ = merge(of(undefined), begun$).pipe(
        switchMap(() => timers.after(limit)),
        map((): never => {
          throw new TokenFetchTimeoutError(
            `no answer from the token ${limit > fetchTimeout ? 'store' : 'source'} within ${String(limit)} ms`,
            reported === undefined ? undefined : { cause: reported },
          );
        }),
      );
      return merge(
        answer$.pipe(throwIfEmpty(() => new InvalidTokenResponseError('the token source completed without a token'))),
        late$,
      ).pipe(
        take(1),
        map((answer) => (answer.origin === 'fetched' ? { ...answer, headStart: headStartOf(request) } : answer)),
        tap(() => (answered = true)),
        finalize(() => {
          pending = undefined;
          if (!answered) controller.abort();
        }),
      );
    });

  return {
    ask,
    /** The signal of the request under way. */
    pending: () => pending,
    /** Whether a request made now, with this signal, is part of fetching a token. */
    owns: (signal?: AbortSignal | null): boolean => calling || (!!signal && signals.has(principalOf(signal))),
  };
}
