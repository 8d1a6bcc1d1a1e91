/** Tools for the checks of `storeContract`: sources that count, requests with a time limit, assertions. */
import {
  defer,
  firstValueFrom,
  map,
  merge,
  ReplaySubject,
  Subscription,
  throwError,
  timeout,
  timer,
  type Observable,
} from 'rxjs';
import { abortable } from '../../internal/async/abortable.js';
import { accessToken } from '../../token/decisions/accessToken.js';
import type { StoredToken, TokenStore } from '../../token/tokenStore.js';
import type { AccessToken, RefreshReason, TokenResponse } from '../../token/types.js';

export const NO_ANSWER = 'the store breaks its contract: no answer in time';

export type Fetch = (last?: TokenResponse | null) => Observable<TokenResponse>;

/** Three at least. */
export type Stores = readonly [TokenStore, TokenStore, TokenStore, ...TokenStore[]];

/** Checks one rule of the contract; rejects with what breaks it. */
export type Check = (stores: Stores, context: CheckContext) => Promise<void>;

/** By the names of the rules. */
export type Checks = Readonly<Record<string, Check>>;

/** What a check of `storeContract` works with. */
export type CheckContext = ReturnType<typeof createContext>;

/** @param limit ms in which every answer must come */
export function createContext(limit: number) {
  const source = { fetched: 0 };
  const listening = new Subscription();
  /** The first value, or the failure, or that there was none within the limit. */
  const inTime = <T>(source$: Observable<T>): Promise<T> =>
    firstValueFrom(source$.pipe(timeout({ first: limit, with: () => throwError(() => new Error(NO_ANSWER)) })));
  /** Answers T1, T2, … after 20 ms. */
  const quickFetch: Fetch = () => {
    const n = ++source.fetched;
    return timer(20).pipe(map(() => ({ access_token: `T${String(n)}`, expires_in: 3600 })));
  };

  return {
    source,
    inTime,
    /** Again and again until it succeeds, or the limit is over. */
    eventually: <T>(attempt: () => T | Promise<T>): Promise<T> => retryFor(limit, attempt),
    ask: (
      store: TokenStore,
      reason: RefreshReason = 'initial',
      previous: AccessToken | null = null,
      fetch: Fetch = quickFetch,
    ): Promise<StoredToken> => inTime(refreshOf(store, reason, previous, fetch)),
    /** Resolves when the store has begun to fetch. The fetch answers as `response$`; `leave` gives it up. */
    begin: async (
      store: TokenStore,
      response$: Observable<TokenResponse>,
      reason: RefreshReason = 'initial',
      previous: AccessToken | null = null,
    ) => {
      const begun$ = new ReplaySubject<null>(1);
      const answer$ = new ReplaySubject<StoredToken>(1);
      const running = refreshOf(store, reason, previous, () => {
        begun$.next(null);
        return response$;
      }).subscribe(answer$);
      const leave = () => running.unsubscribe();
      try {
        demand((await inTime(merge(begun$, answer$))) === null, 'it answered without a fetch');
      } catch (error) {
        leave();
        throw error;
      }
      return { answer$, leave };
    },
    /** What is emitted from now on until the check is over. */
    heard: <T>(source$: Observable<T> | undefined): readonly T[] => {
      const values: T[] = [];
      listening.add(source$?.subscribe((value) => values.push(value)));
      return values;
    },
    stopListening: (): void => listening.unsubscribe(),
    /** Rejects if the sign-out fails. */
    signOut: (store: TokenStore): Promise<unknown> => inTime(defer(() => Promise.resolve(store.signOut?.()))),
  };
}

async function retryFor<T>(limit: number, attempt: () => T | Promise<T>): Promise<T> {
  const end = performance.now() + limit;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > end) throw error;
      await firstValueFrom(timer(50));
    }
  }
}

/** A refresh, which aborts its signal when it is left. */
const refreshOf = (
  store: TokenStore,
  reason: RefreshReason,
  previous: AccessToken | null,
  fetch: Fetch,
): Observable<StoredToken> => abortable((signal) => store.refresh({ reason, attempt: 1, previous, signal }, fetch));

/** The token that all of them know. */
export async function heldByAll(stores: readonly TokenStore[], ask: CheckContext['ask']): Promise<AccessToken> {
  const answers: StoredToken[] = [];
  for (const store of stores) answers.push(await ask(store));
  return tokenOf(answers[0] as StoredToken);
}

/** A source that takes 300 ms. */
export const slowFetch: Fetch = () => timer(300).pipe(map(() => ({ access_token: 'slow', expires_in: 3600 })));

export const tokenOf = ({ response, age }: StoredToken): AccessToken =>
  accessToken(response, Date.now() - age, 3_600_000);
export const valueOf = ({ response }: StoredToken): string => response.access_token;

export function demand(condition: boolean, fault: string): asserts condition {
  if (!condition) throw new Error(`the store breaks its contract: ${fault}`);
}

export function equal(found: unknown, expected: unknown, what: string): void {
  demand(found === expected, `${what}: ${String(found)} instead of ${String(expected)}`);
}
