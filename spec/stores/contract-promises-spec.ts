import { filter, firstValueFrom, from, map, merge, Observable, Subject, type ObservableInput } from 'rxjs';
import type { RefreshReason, StoredToken, TokenResponse, TokenStore } from 'rx-fresh-token';
import { storeContract } from '../../src/testing/contract/storeContract.js';

/** What a store does wrong. */
interface Fault {
  /** It returns `request.previous` to these. */
  readonly returnsPrevious?: RefreshReason;
  /** Streams that wait hear nothing of a failure. */
  readonly forgetsWaiters?: boolean;
  /** It hands out no token after a rejection until a fetch succeeds. */
  readonly keepsMark?: boolean;
  /** `changes` emits what this store fetched itself. */
  readonly tellsItself?: boolean;
  readonly signOut?: () => unknown;
}

interface Kept {
  readonly response: TokenResponse;
  readonly since: number;
}

const isOver = ({ response, since }: Kept) => Date.now() >= since + Number(response.expires_in) * 1000;

const unlessItFails = <T>(promise: Promise<T>): Promise<T> =>
  new Promise((resolve) => {
    promise.then(resolve, () => undefined);
  });

/** Stores that return promises and cancel by `request.signal` only, as the type `TokenStore` allows. */
function promiseStores({ returnsPrevious, forgetsWaiters, keepsMark, tellsItself, signOut }: Fault = {}): TokenStore[] {
  let kept: Kept | undefined;
  let isRejected = false;
  let flight: Promise<Kept> | undefined;
  let session = {};
  const news = new Subject<{ readonly kept: Kept; readonly by: TokenStore }>();
  const answer = ({ response, since }: Kept, origin: StoredToken['origin']): StoredToken => ({
    response,
    age: Date.now() - since,
    origin,
  });

  const fetchFor = async (fetch: () => ObservableInput<TokenResponse>, signal: AbortSignal): Promise<Kept> => {
    const since = Date.now();
    const mine = session;
    const left$ = new Observable<never>((subscriber) => {
      signal.addEventListener('abort', () => {
        subscriber.error(new Error('the caller left'));
      });
    });
    const response = await firstValueFrom(merge(from(fetch()), left$));
    if (mine !== session) throw new Error('the session ended');
    isRejected = false;
    return (kept = { response, since });
  };

  const create = (): TokenStore => {
    const store: TokenStore = {
      refresh: async ({ reason, previous, signal }, fetch) => {
        const isPrevious = kept?.response.access_token === previous?.value;
        if (reason === 'rejected' && isPrevious) isRejected = true;
        const mayShare = !isPrevious || reason === returnsPrevious;
        if (kept && mayShare && !isRejected && !isOver(kept)) return answer(kept, 'shared');
        if (flight) return answer(await (forgetsWaiters ? unlessItFails(flight) : flight), 'shared');
        const mine = (flight = fetchFor(() => fetch(kept?.response ?? null), signal));
        try {
          const fresh = await mine;
          news.next({ kept: fresh, by: store });
          return answer(fresh, 'fetched');
        } finally {
          if (flight === mine) {
            flight = undefined;
            isRejected &&= keepsMark === true;
          }
        }
      },
      changes: news.pipe(
        filter(({ by }) => tellsItself === true || by !== store),
        map((told) => answer(told.kept, 'shared')),
      ),
      signOut: () => {
        kept = flight = undefined;
        session = {};
        return signOut?.();
      },
    };
    return store;
  };
  return [create(), create(), create()];
}

const faultsOf = async (fault?: Fault): Promise<string[]> => {
  const checks = storeContract({ create: () => ({ stores: promiseStores(fault) }), timeout: 1500 });
  const found = await Promise.all(
    checks.map(({ name, run }) =>
      run().then(
        () => [],
        (error: unknown) => [`${name}: ${(error as Error).message.replace('the store breaks its contract: ', '')}`],
      ),
    ),
  );
  return found.flat();
};

describe('the contract, for stores that return promises', () => {
  it('should be kept by a store that cancels by the signal of the request', async () => {
    expect(await faultsOf()).toEqual([]);
  });

  it.each<[string, Fault, RegExp]>([
    ['returns the previous token to a caller', { returnsPrevious: 'manual' }, /^should replace .*manual: .*successor/],
    ['returns an expired token', { returnsPrevious: 'expired' }, /^should replace .*expired: .*successor/],
    ['leaves those waiting whose fetch failed', { forgetsWaiters: true }, /^should answer those who wait.*no answer/],
    [
      'keeps the token for itself after a failure',
      { keepsMark: true },
      /^should hand out a rejected token again.*down/,
    ],
    ['tells a stream of its own token', { tellsItself: true }, /^should tell the others of a new token.*itself/],
    [
      'fails to sign out',
      { signOut: () => Promise.reject(new Error('locked')) },
      /^should hand out no token.*: locked/,
    ],
  ])('should find the fault of a store that %s', async (_fault, fault, expected) => {
    expect(await faultsOf(fault)).toContainEqual(expect.stringMatching(expected));
  });
});
