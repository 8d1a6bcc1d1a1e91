/** Makes streams that share one refresh token use it one after the other, because servers refuse a used one. */
import {
  AsyncSubject,
  defer,
  EMPTY,
  filter,
  finalize,
  map,
  share,
  Subject,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { stopwatch, ticksOf } from '../internal/time/stopwatch.js';
import { createTimers } from '../internal/time/timers.js';
import type { InTurn } from '../token/options.js';
import type { StoredToken, TokenStore } from '../token/tokenStore.js';
import type { TokenResponse } from '../token/types.js';
import { createTurns, type Turns } from './turns.js';

/** An exchange whose caller has left keeps the others of its chain waiting so long at most. Milliseconds. */
const LONGEST = 10_000;

/** Asks the source of a stream. It is given the last response, which has the newest refresh token. */
type Fetch = Parameters<TokenStore['refresh']>[1];

/**
 * A refresh token that several streams share: for example, one stream for each audience. A server that rotates refresh
 * tokens takes it for theft when a used one comes back. So the streams ask their sources one after the other, each with
 * the newest refresh token.
 */
class Chain {
  private readonly turns = createTurns(1);
  /** Emits the store whose stream has ended the session. */
  private readonly ended$ = new Subject<TokenStore>();
  /** Has the newest refresh token. The next session is another object: what an old exchange brings is not for it. */
  private session: { last: TokenResponse | null } = { last: null };
  /** Completes when the last exchange is over. */
  private over$: Observable<unknown> = EMPTY;

  constructor(
    private readonly scheduler: SchedulerLike,
    private readonly turnsOfPool: Turns,
  ) {}

  /**
   * Lets one attempt run at a time: those that wait have no time limit yet, and take no turn of the pool. Its turn is
   * over when its exchange is, whose caller may have left.
   */
  readonly inTurn: InTurn = (attempt$) => {
    const rest$ = defer(() => this.over$);
    return this.turns(this.turnsOfPool(attempt$, rest$), rest$);
  };

  /** The store of another one of the streams. */
  join(): TokenStore {
    const store: TokenStore = {
      refresh: (_request, fetch) => this.refresh(fetch),
      signOut: () => {
        this.session = { last: null };
        this.ended$.next(store);
      },
      signedOut: this.ended$.pipe(filter((by) => by !== store)),
    };
    return store;
  }

  private refresh(fetch: Fetch): Observable<StoredToken> {
    const { scheduler } = this;
    const exchange$ = defer(() => {
      const { session } = this;
      const over$ = new Subject<never>();
      this.over$ = over$;
      const age = stopwatch(0, { ticks: ticksOf(scheduler), wall: () => scheduler.now() });
      return fetch(session.last).pipe(
        map((response): StoredToken => {
          const { refresh_token } = response;
          // Only its refresh token: the access token is for another audience.
          if (refresh_token) session.last = { access_token: '', refresh_token };
          return { response, age: age(), origin: 'fetched' };
        }),
        finalize(() => over$.complete()),
      );
    });
    return exchange$.pipe(
      // An exchange that was begun is brought to its end: the refresh token that it brings is the only good one.
      share({
        connector: () => new AsyncSubject(),
        // Otherwise a caller whom the result has reached would count as one that has left.
        resetOnComplete: false,
        resetOnError: false,
        resetOnRefCountZero: () => createTimers(scheduler).after(LONGEST),
      }),
    );
  }
}

/** Held strongly where the platform has no WeakRef, such as old React Native. */
const weakly = (chain: Chain): Pick<WeakRef<Chain>, 'deref'> =>
  typeof WeakRef === 'function' ? new WeakRef(chain) : { deref: () => chain };

/**
 * The chain of an id. It lives as long as one of its streams: one that the pool has dropped, and that somebody holds,
 * has the same chain as its successor.
 */
export function createChains(scheduler: SchedulerLike, turnsOfPool: Turns): (id: string) => Chain {
  const chains = new Map<string, ReturnType<typeof weakly>>();
  const forget = (id: string): void => {
    if (chains.get(id)?.deref() === undefined) chains.delete(id);
  };
  const collected = typeof FinalizationRegistry === 'function' ? new FinalizationRegistry(forget) : undefined;
  return (id) => {
    let chain = chains.get(id)?.deref();
    if (!chain) {
      chain = new Chain(scheduler, turnsOfPool);
      chains.set(id, weakly(chain));
      collected?.register(chain, id);
    }
    return chain;
  };
}
