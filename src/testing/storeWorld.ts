import { firstValueFrom, from, map, take, throwError, timeout as timeoutOf, timer, type Observable } from 'rxjs';
import { accessToken } from '../token/accessToken.js';
import type { StoredToken, TokenStore } from '../token/tokenStore.js';
import type { AccessToken, RefreshReason, TokenRequest, TokenResponse } from '../token/types.js';

/** What a check of `storeContract` works with. */
export interface World {
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
  readonly within: (condition: () => boolean) => Promise<void>;
}

export type Fetch = (last?: TokenResponse | null) => Observable<TokenResponse>;

/** Three at least. */
export type Stores = readonly [TokenStore, TokenStore, TokenStore, ...TokenStore[]];

/** One promise of a store: its name, and what tries it. Rejects when the store breaks it. */
export type Check = readonly [name: string, run: (stores: Stores, world: World) => Promise<void>];

/** A source that answers T1, T2, … after 20 ms. */
export function createWorld(timeout: number): World {
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
          with: () => throwError(() => new Error('the store breaks its contract: no answer in time')),
        }),
      ),
    );
  return {
    source,
    ask: (store, reason = 'initial', previous = null, fetch = plain) =>
      inTime(from(store.refresh(requestOf(reason, previous), fetch))),
    inTime,
    later,
    within: (condition) =>
      later(() => {
        demand(condition(), 'it did not happen in time');
        return Promise.resolve();
      }),
  };
}

/** The token that all of them know. */
export async function held(stores: readonly TokenStore[], ask: World['ask']): Promise<AccessToken> {
  const answers: StoredToken[] = [];
  for (const store of stores) answers.push(await ask(store));
  return tokenOf(answers[0] as StoredToken);
}

/** A source that takes 300 ms. */
export const slowFetch: Fetch = () => timer(300).pipe(map(() => ({ access_token: 'slow', expires_in: 3600 })));

export const requestOf = (reason: RefreshReason, previous: AccessToken | null): TokenRequest => ({
  reason,
  attempt: 1,
  previous,
  signal: new AbortController().signal,
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
