import { AsyncSubject, defer, finalize, from, map, merge, Observable, take, tap, throwIfEmpty } from 'rxjs';
import { InvalidTokenResponseError, TokenFetchTimeoutError } from '../errors.js';
import { ON_BEHALF_OF } from '../internal/sourceHooks.js';
import type { Timers } from '../internal/timers.js';
import type { Settings } from './options.js';
import type { TokenRequest, TokenResponse, TokenSource } from './types.js';

/** What the source, or the store before it, answered. */
export interface Answer {
  readonly response: TokenResponse;
  /** Milliseconds since the token was asked for. Absent: it was this request that asked. */
  readonly age?: number;
  readonly origin: 'fetched' | 'shared' | 'initial';
}

/** A source that bounds its requests by a signal of its own says on whose behalf. */
type StandIn = AbortSignal & { readonly [ON_BEHALF_OF]?: AbortSignal };

export type Ask = (about: Pick<TokenRequest, 'reason' | 'attempt' | 'previous'>, report: (failure: unknown) => void) => Observable<Answer>;

/** Asks the source for one token, within `fetchTimeout`; and knows which requests are the source's own, and need no token. */
export function createSourceCalls(source: TokenSource, { fetchTimeout, store }: Pick<Settings, 'fetchTimeout' | 'store'>, timers: Timers) {
  const signals = new WeakSet<AbortSignal>();
  let calling = false;

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
      const request: TokenRequest = Object.defineProperty({ ...about, signal: controller.signal }, 'report', { value: report });
      signals.add(controller.signal);
      let answered = false;
      const fetched$ = call(request);
      const answer$: Observable<Answer> = store ? from(store.refresh(request, () => fetched$)) : fetched$.pipe(map((response) => ({ response, origin: 'fetched' })));
      const late$ = timers.after(fetchTimeout).pipe(
        map(() => {
          throw new TokenFetchTimeoutError(`no answer from the token source within ${String(fetchTimeout)} ms`);
        }),
      );
      return merge(answer$.pipe(throwIfEmpty(() => new InvalidTokenResponseError('the token source completed without a token'))), late$).pipe(
        take(1),
        tap(() => (answered = true)),
        finalize(() => {
          if (!answered) controller.abort();
        }),
      );
    });

  return {
    ask,
    /** Whether a request made now, with this signal, is part of fetching a token. */
    owns: (signal?: StandIn | null): boolean => calling || (!!signal && signals.has(signal[ON_BEHALF_OF] ?? signal)),
  };
}
