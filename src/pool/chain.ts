/** Streams with one refresh token ask their sources one after the other, each with the newest refresh token. */
import { AsyncSubject, defer, filter, map, Observable, Subject, takeUntil, tap, type SchedulerLike } from 'rxjs';
import type { InTurn } from '../token/options.js';
import { ticksOf, stopwatch, type Clocks } from '../internal/stopwatch.js';
import { createTimers, type Timers } from '../internal/timers.js';
import type { StoredToken, TokenStore } from '../token/tokenStore.js';
import type { TokenResponse } from '../token/types.js';
import { createTurns } from './turns.js';
import { weakTarget, type WeakTarget } from './weakTarget.js';

/** An exchange whose caller has left keeps the others of its chain waiting so long at most. Milliseconds. */
const LONGEST = 10_000;

/** The refresh token that several streams share: one stream for each audience, say. */
interface Chain {
  readonly inTurn: InTurn;
  readonly timers: Timers;
  readonly clocks: Clocks;
  /** The store whose stream has ended the session. */
  readonly ended: Subject<TokenStore>;
  /** Grows with each sign-out. */
  session: number;
  /** Holds the newest refresh token. */
  last: TokenResponse | null;
}

function createChain(scheduler: SchedulerLike): Chain {
  return {
    inTurn: createTurns(1),
    timers: createTimers(scheduler),
    clocks: { ticks: ticksOf(scheduler), wall: () => scheduler.now() },
    ended: new Subject(),
    session: 0,
    last: null,
  };
}

/**
 * A server that rotates refresh tokens takes it for theft when one comes back that was used. So the streams of a chain
 * ask their sources one after the other, and each is given the refresh token that the one before has brought.
 */
function joinChain(chain: Chain): TokenStore {
  const store: TokenStore = {
    refresh: (_request, fetch) =>
      new Observable((subscriber) => {
        const stored$ = new AsyncSubject<StoredToken>();
        const tooLate$ = new Subject<void>();
        let hasBegun = false;
        const exchange$ = defer(() => {
          hasBegun = true;
          return exchangeOf(chain, fetch);
        });
        const exchange = chain.inTurn(exchange$).pipe(takeUntil(tooLate$)).subscribe(stored$);
        stored$.subscribe(subscriber);
        // An exchange that was begun is brought to its end: the refresh token that it brings is the only good one.
        subscriber.add(() => {
          if (!hasBegun) exchange.unsubscribe();
          else if (!exchange.closed) exchange.add(chain.timers.after(LONGEST).subscribe(tooLate$));
        });
      }),
    signOut: () => {
      chain.session++;
      chain.last = null;
      chain.ended.next(store);
    },
    signedOut: chain.ended.pipe(filter((by) => by !== store)),
  };
  return store;
}

function exchangeOf(chain: Chain, fetch: Parameters<TokenStore['refresh']>[1]): Observable<StoredToken> {
  const { session } = chain;
  const age = stopwatch(0, chain.clocks);
  return fetch(chain.last).pipe(
    tap(({ refresh_token }) => {
      const isNews = chain.session === session && typeof refresh_token === 'string' && refresh_token !== '';
      if (isNews) chain.last = { access_token: '', refresh_token };
    }),
    map((response) => ({ response, age: age(), origin: 'fetched' })),
  );
}

/**
 * A place in the chain of that id. A chain lives as long as one of its streams: one that the pool has let go of, and
 * that somebody holds, has the same chain as its successor.
 */
export function createChains(scheduler: SchedulerLike): (id: string) => TokenStore {
  const chains = new Map<string, WeakTarget<Chain>>();
  const forget = (id: string): void => {
    if (chains.get(id)?.deref() === undefined) chains.delete(id);
  };
  const collected = typeof FinalizationRegistry === 'function' ? new FinalizationRegistry(forget) : undefined;
  return (id) => {
    let chain = chains.get(id)?.deref();
    if (!chain) {
      chain = createChain(scheduler);
      chains.set(id, weakTarget(chain));
      collected?.register(chain, id);
    }
    return joinChain(chain);
  };
}
