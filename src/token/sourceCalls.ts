import { AsyncSubject, defer, finalize, from, map, merge, Observable, take, tap, throwIfEmpty } from 'rxjs';
import { InvalidTokenResponseError, TokenFetchTimeoutError } from '../errors.js';
import type { Timers } from '../internal/timers.js';
import type { Settings } from './options.js';
import type { TokenRequest, TokenResponse, TokenSource } from './types.js';

/** What the source, or the store before it, answered. */
export interface Answer {
  readonly response: TokenResponse;
  /** Null: counted from the moment the source was asked. */
  readonly age: number | null;
  readonly origin: 'fetched' | 'shared' | 'initial';
}

/** Asks the source for one token, within `fetchTimeout`; and knows which requests are the source's own, and need no token. */
export class SourceCalls {
  readonly #signals = new WeakSet<AbortSignal>();
  #calling = false;

  constructor(
    private readonly source: TokenSource,
    private readonly settings: Pick<Settings, 'fetchTimeout' | 'store'>,
    private readonly timers: Timers,
  ) {}

  /** Whether a request made now, with this signal, is part of fetching a token. */
  owns(signal: AbortSignal | null | undefined): boolean {
    return this.#calling || (!!signal && this.#signals.has(signal));
  }

  ask(about: Omit<TokenRequest, 'signal'>): Observable<Answer> {
    return defer(() => {
      const controller = new AbortController();
      this.#signals.add(controller.signal);
      const { store, fetchTimeout } = this.settings;
      const request: TokenRequest = { ...about, signal: controller.signal };
      const fetched$ = this.#call(request);
      const answer$: Observable<Answer> = store
        ? defer(() => store.refresh(request, () => fetched$))
        : fetched$.pipe(map((response) => ({ response, age: null, origin: 'fetched' })));
      const late$ = this.timers.after(fetchTimeout).pipe(
        map(() => {
          throw new TokenFetchTimeoutError(`no answer from the token source within ${String(fetchTimeout)} ms`);
        }),
      );
      let answered = false;
      return merge(answer$.pipe(throwIfEmpty(() => new InvalidTokenResponseError('the token source completed without a token'))), late$).pipe(
        take(1),
        tap(() => (answered = true)),
        finalize(() => {
          if (!answered) controller.abort();
        }),
      );
    });
  }

  /** A synchronous answer is passed on only after the source has returned, or whoever it serves would count as the source. */
  #call(request: TokenRequest): Observable<TokenResponse> {
    return new Observable((subscriber) => {
      const answer = new AsyncSubject<TokenResponse>();
      this.#calling = true;
      try {
        subscriber.add(
          defer(() => from(this.source(request)))
            .pipe(take(1))
            .subscribe(answer),
        );
      } finally {
        this.#calling = false;
      }
      return answer.subscribe(subscriber);
    });
  }
}
