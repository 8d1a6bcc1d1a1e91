import {
  defer,
  finalize,
  firstValueFrom,
  from,
  map,
  merge,
  ReplaySubject,
  take,
  throwError,
  timeout as timeoutOf,
  timer,
  type Observable,
} from 'rxjs';
import { accessToken } from '../token/accessToken.js';
import type { StoredToken, TokenStore } from '../token/tokenStore.js';
import type { AccessToken, RefreshReason, TokenRequest, TokenResponse } from '../token/types.js';

/** What a check of `storeContract` works with. */
export interface CheckContext {
  readonly source: { fetched: number };
  readonly ask: (
    store: TokenStore,
    reason?: RefreshReason,
    previous?: AccessToken | null,
    fetch?: Fetch,
  ) => Promise<StoredToken>;
  /** Again and again until it succeeds, or the timeout is over. */
  readonly later: <T>(attempt: () => Promise<T>) => Promise<T>;
  /** The first value, or the failure, or that there was none before the timeout. */
  readonly inTime: <T>(source$: Observable<T>) => Promise<T>;
  readonly within: (condition: () => boolean, fault: string) => Promise<void>;
  /** Resolves when the store has begun to fetch. The fetch answers as `response$`; `leave` gives it up. */
  readonly begin: (
    store: TokenStore,
    response$: Observable<TokenResponse>,
  ) => Promise<{ readonly answer$: Observable<StoredToken>; readonly leave: () => void }>;
  /** Rejects if the sign-out fails. */
  readonly signOut: (store: TokenStore) => Promise<void>;
}

export const NO_ANSWER = 'the store breaks its contract: no answer in time';

export type Fetch = (last?: TokenResponse | null) => Observable<TokenResponse>;

/** Three at least. */
export type Stores = readonly [TokenStore, TokenStore, TokenStore, ...TokenStore[]];

/** One promise of a store: its name, and what tries it. Rejects when the store breaks it. */
export type Check = readonly [name: string, run: (stores: Stores, context: CheckContext) => Promise<void>];

/** A source that answers T1, T2, … after 20 ms. */
export function createContext(timeout: number): CheckContext {
  const source = { fetched: 0 };
  const plain: Fetch = () => {
    const n = ++source.fetched;
    return timer(20).pipe(map(() => ({ access_token: `T${String(n)}`, expires_in: 3600 })));
  };
  const later = async <T>(attempt: () => Promise<T>): Promise<T> => {
    const end = performance.now() + timeout;
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (performance.now() > end) throw error;
        await firstValueFrom(timer(50));
      }
    }
  };
  const inTime = <T>(source$: Observable<T>): Promise<T> =>
    firstValueFrom(
      source$.pipe(
        take(1),
        timeoutOf({
          first: timeout,
          with: () => throwError(() => new Error(NO_ANSWER)),
        }),
      ),
    );
  return {
    source,
    ask: (store, reason = 'initial', previous = null, fetch = plain) => {
      const controller = new AbortController();
      const answer$ = defer(() => store.refresh(requestOf(reason, previous, controller.signal), fetch));
      return inTime(
        answer$.pipe(
          finalize(() => {
            controller.abort();
          }),
        ),
      );
    },
    inTime,
    later,
    within: (condition, fault) =>
      later(() => {
        demand(condition(), fault);
        return Promise.resolve();
      }),
    begin: async (store, response$) => {
      const controller = new AbortController();
      const begun$ = new ReplaySubject<undefined>(1);
      const answer$ = new ReplaySubject<StoredToken>(1);
      const refresh$ = store.refresh(requestOf('initial', null, controller.signal), () => {
        queueMicrotask(() => {
          begun$.next(undefined);
        });
        return response$;
      });
      const running = from(refresh$).subscribe(answer$);
      const leave = () => {
        running.unsubscribe();
        controller.abort();
      };
      try {
        demand((await inTime(merge(begun$, answer$))) === undefined, 'it answered without a fetch');
      } catch (error) {
        leave();
        throw error;
      }
      return { answer$, leave };
    },
    signOut: (store) =>
      inTime(
        defer(async () => {
          await store.signOut?.();
        }),
      ),
  };
}

/** The token that all of them know. */
export async function heldByAll(stores: readonly TokenStore[], ask: CheckContext['ask']): Promise<AccessToken> {
  const answers: StoredToken[] = [];
  for (const store of stores) answers.push(await ask(store));
  return tokenOf(answers[0] as StoredToken);
}

/** A source that takes 300 ms. */
export const slowFetch: Fetch = () => timer(300).pipe(map(() => ({ access_token: 'slow', expires_in: 3600 })));

const requestOf = (reason: RefreshReason, previous: AccessToken | null, signal: AbortSignal): TokenRequest => ({
  reason,
  attempt: 1,
  previous,
  signal,
});
export const tokenOf = ({ response, age }: StoredToken): AccessToken =>
  accessToken(response, Date.now() - age, 3_600_000);
export const valueOf = ({ response }: StoredToken): string => response.access_token;

export function demand(condition: boolean, fault: string): asserts condition {
  if (!condition) throw new Error(`the store breaks its contract: ${fault}`);
}

export function equal(found: unknown, expected: unknown, what: string): void {
  demand(found === expected, `${what}: ${String(found)} instead of ${String(expected)}`);
}

export const same = (found: StoredToken, expected: StoredToken): void => {
  equal(valueOf(found), valueOf(expected), 'the token');
};
