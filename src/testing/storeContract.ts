import {
  firstValueFrom,
  from,
  map,
  merge,
  NEVER,
  of,
  Subject,
  take,
  throwError,
  timeout,
  timer,
  type Observable,
} from 'rxjs';
import { requireOptions } from './settings.js';
import { FINITE, numbersIn, wrong } from '../internal/validate.js';
import { accessToken } from '../token/accessToken.js';
import type { StoredToken, TokenStore } from '../token/tokenStore.js';
import type { AccessToken, RefreshReason, TokenResponse } from '../token/types.js';

/** Stores under test: at least three, which share one place that nobody has used yet. */
export interface StoresUnderTest {
  readonly stores: readonly TokenStore[];
  /** Called when the check is over. */
  readonly dispose?: (() => unknown) | undefined;
}

/** One promise of a store. */
export interface StoreCheck {
  readonly name: string;
  /** Resolves when the store keeps the promise; rejects with what is wrong. */
  readonly run: () => Promise<void>;
}

export interface StoreContractOptions {
  readonly create: () => StoresUnderTest | Promise<StoresUnderTest>;
  /** How long a store may take to notice that the one who fetched is gone, or to try again after a failure; no answer at all takes longer. Milliseconds, finite, >= 1. Default 15 000. */
  readonly patience?: number | undefined;
}

/** Three at least. */
type Stores = readonly [TokenStore, TokenStore, TokenStore, ...TokenStore[]];

type Fetch = (last?: TokenResponse | null) => Observable<TokenResponse>;

/**
 * What every {@link TokenStore} owes to the streams that share it, as a list of checks for any test runner:
 *
 * ```ts
 * for (const { name, run } of storeContract({ create: () => ({ stores: [store(), store(), store()] }) })) test(name, run);
 * ```
 *
 * @throws TypeError that names an option out of range.
 */
export function storeContract(options: StoreContractOptions): readonly StoreCheck[] {
  requireOptions(options);
  const { patience } = numbersIn(options, { patience: [1, FINITE, 15_000] });
  const { create } = options;
  if (typeof create !== 'function') throw wrong('create', create, 'a function that returns stores');
  const check = (name: string, promise: (stores: Stores, world: World) => Promise<void>): StoreCheck => ({
    name,
    run: async () => {
      const { stores, dispose } = await create();
      try {
        demand(stores.length >= 3, `the contract needs three stores or more, got ${String(stores.length)}`);
        await promise(stores as Stores, world(patience));
      } finally {
        await dispose?.();
      }
    },
  });

  return [
    check('should fetch once for all who ask at once', async (stores, { ask, source }) => {
      const answers = await Promise.all(stores.map((store) => ask(store)));
      equal(source.fetched, 1, 'fetches');
      equal(new Set(answers.map(valueOf)).size, 1, 'different tokens');
      equal(answers.filter(({ origin }) => origin === 'fetched').length, 1, 'answers that claim to be fetched');
    }),
    check('should hand what is there to those who come later', async ([first, ...others], { ask, source }) => {
      const token = await ask(first);
      for (const store of others) same(await ask(store), token);
      equal(source.fetched, 1, 'fetches');
    }),
    check('should replace a token that is due once, however many ask', async (stores, { ask, source }) => {
      const old = await held(stores, ask);
      const answers = await Promise.all(stores.map((store) => ask(store, 'scheduled', old)));
      for (const answer of answers)
        demand(valueOf(answer) !== old.value, 'a token that is due was handed out as its own successor');
      equal(new Set(answers.map(valueOf)).size, 1, 'different tokens');
      equal(source.fetched, 2, 'fetches');
    }),
    check('should replace a rejected token once, however many ask', async (stores, { ask, source }) => {
      const old = await held(stores, ask);
      const answers = await Promise.all(stores.map((store) => ask(store, 'rejected', old)));
      for (const answer of answers) demand(valueOf(answer) !== old.value, 'the rejected token was handed out');
      equal(source.fetched, 2, 'fetches');
    }),
    check(
      'should answer the rejection of a token that was replaced before with its successor, without a fetch',
      async (stores, { ask, source }) => {
        const old = await held(stores, ask);
        const [first, ...others] = stores;
        const next = await ask(first, 'scheduled', old);
        for (const store of others) same(await ask(store, 'rejected', old), next);
        equal(source.fetched, 2, 'fetches');
      },
    ),
    check(
      'should keep a rejected token from newcomers, even if its replacement failed',
      async ([first, second], { ask, source, later }) => {
        const old = tokenOf(await ask(first));
        await ask(first, 'rejected', old, () => throwError(() => new Error('down'))).catch(() => undefined);
        const answer = await later(() => ask(second));
        demand(valueOf(answer) !== old.value, 'the rejected token was handed out');
        demand(source.fetched >= 2, 'nobody fetched');
      },
    ),
    check(
      'should fail with what the fetch failed with, and not keep that for ever',
      async ([first, second], { ask, later }) => {
        const failure = new Error('the token endpoint is down');
        const thrown: unknown = await ask(first, 'initial', null, () => throwError(() => failure)).then(
          () => undefined,
          (error: unknown) => error,
        );
        demand(thrown === failure, 'the refresh did not fail with the failure of its fetch');
        await later(() => ask(second));
      },
    ),
    check('should let another take over from one who left', async ([first, second], { ask, later, inTime }) => {
      const begun = new Subject<void>();
      const leaving$ = from(
        first.refresh(requestOf('initial', null), () => {
          queueMicrotask(() => {
            begun.next();
          });
          return NEVER;
        }),
      );
      // It leaves when its fetch has begun; what the store answers or fails with before that, is the store's fault.
      const left = await inTime(merge(begun, leaving$));
      demand(left === undefined, 'it answered without a fetch');
      await later(() => ask(second));
    }),
    check('should not hand out a token whose life is over', async (stores, { ask, source }) => {
      const [first, second, third] = stores;
      const brief: Fetch = () => of({ access_token: 'brief', expires_in: 0.2 });
      equal(valueOf(await ask(first, 'initial', null, brief)), 'brief', 'the token');
      await firstValueFrom(timer(400));
      for (const store of [second, third, first])
        demand(valueOf(await ask(store)) !== 'brief', 'a token whose life is over was handed out');
      demand(source.fetched >= 1, 'nobody fetched');
    }),
    check('should not underestimate the age of a token', async ([first, second], { ask }) => {
      const asked = performance.now();
      const slow: Fetch = () => timer(300).pipe(map(() => ({ access_token: 'slow', expires_in: 3600 })));
      const mine = await ask(first, 'initial', null, slow);
      demand(mine.age >= 290, `fetched in 300 ms, but of age ${String(mine.age)}`);
      await firstValueFrom(timer(100));
      const before = performance.now();
      const shared = await ask(second);
      // The request for the token was sent after `asked` only by what the store takes itself; the fetch took 300 ms of it.
      demand(
        shared.age >= 390 && shared.age <= performance.now() - asked + 50,
        `of age ${String(shared.age)} after ${String(Math.round(before - asked))} ms`,
      );
    }),
    check('should tell the others of a new token, if it tells at all', async ([first, second], { ask, within }) => {
      if (!second.changes) return;
      const told: StoredToken[] = [];
      const watching = second.changes.subscribe((token) => told.push(token));
      try {
        // The first tells the second as soon as the second listens; nobody knows when that is.
        let token = await ask(first);
        const heard = () => told.length > 0;
        for (let round = 0; !heard() && round < 50; round++) {
          await firstValueFrom(timer(100));
          if (!heard()) token = await ask(first, 'scheduled', tokenOf(token));
        }
        await within(() => told.some((one) => valueOf(one) === valueOf(token)));
        for (const { origin, age } of told)
          demand(origin === 'shared' && age >= 0, 'what others fetched is shared, and of some age');
        // It knows how old a token is that took its time: asked for 300 ms ago, it is no younger.
        const slow: Fetch = () => timer(300).pipe(map(() => ({ access_token: 'slow', expires_in: 3600 })));
        await ask(first, 'scheduled', tokenOf(token), slow);
        await within(() => told.some((one) => valueOf(one) === 'slow'));
        for (const one of told)
          demand(
            valueOf(one) !== 'slow' || one.age >= 290,
            `fetched in 300 ms, but told of at the age of ${String(one.age)}`,
          );
      } finally {
        watching.unsubscribe();
      }
    }),
    check('should hand the source the last response, if it hands it anything', async ([first, second], { ask }) => {
      const handed: unknown[] = [];
      const rotating: Fetch = (last) => {
        handed.push(last);
        return of({
          access_token: `A${String(handed.length)}`,
          refresh_token: `R${String(handed.length)}`,
          expires_in: 3600,
        });
      };
      const old = tokenOf(await ask(first, 'initial', null, rotating));
      await ask(second, 'scheduled', old, rotating);
      if (handed[0] === undefined && handed[1] === undefined) return;
      demand(handed[0] === null, 'an empty store handed over something else than null');
      equal((handed[1] as TokenResponse | null)?.refresh_token, 'R1', 'the refresh token handed over');
    }),
  ];
}

interface World {
  readonly source: { fetched: number };
  readonly ask: (
    store: TokenStore,
    reason?: RefreshReason,
    previous?: AccessToken | null,
    fetch?: Fetch,
  ) => Promise<StoredToken>;
  /** Again and again until it succeeds, while patience lasts. */
  readonly later: <T>(attempt: () => Promise<T>) => Promise<T>;
  /** The first value, or the failure, or that there was none while patience lasts. */
  readonly inTime: <T>(source$: Observable<T>) => Promise<T>;
  readonly within: (condition: () => boolean) => Promise<void>;
}

/** A source that answers T1, T2, … after 20 ms. */
function world(patience: number): World {
  const source = { fetched: 0 };
  const plain: Fetch = () => {
    const n = ++source.fetched;
    return timer(20).pipe(map(() => ({ access_token: `T${String(n)}`, expires_in: 3600 })));
  };
  const later = async <T>(attempt: () => Promise<T>): Promise<T> => {
    const end = performance.now() + patience;
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
        timeout({
          first: patience,
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
async function held(stores: readonly TokenStore[], ask: World['ask']): Promise<AccessToken> {
  const answers: StoredToken[] = [];
  for (const store of stores) answers.push(await ask(store));
  return tokenOf(answers[0] as StoredToken);
}

const requestOf = (reason: RefreshReason, previous: AccessToken | null) => ({
  reason,
  attempt: 1,
  previous,
  signal: new AbortController().signal,
});
const tokenOf = ({ response, age }: StoredToken): AccessToken => accessToken(response, Date.now() - age, 3_600_000);
const valueOf = ({ response }: StoredToken): string => response.access_token;

function demand(condition: boolean, fault: string): asserts condition {
  if (!condition) throw new Error(`the store breaks its contract: ${fault}`);
}

function equal(found: unknown, expected: unknown, what: string): void {
  demand(found === expected, `${what}: ${String(found)} instead of ${String(expected)}`);
}

const same = (found: StoredToken, expected: StoredToken): void => {
  equal(valueOf(found), valueOf(expected), 'the token');
};
