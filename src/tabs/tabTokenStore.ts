import {
  concat,
  defer,
  filter,
  ignoreElements,
  map,
  merge,
  of,
  share,
  Subject,
  take,
  takeUntil,
  tap,
  throwError,
  type Observable,
} from 'rxjs';
import { TokenStreamClosedError } from '../errors.js';
import { headStartOf } from '../internal/sourceHooks.js';
import { CLOCKS, stopwatch } from '../internal/stopwatch.js';
import { FINITE, numbersIn, requireFunctions, wrong } from '../internal/validate.js';
import type { StoredToken, TokenStore } from '../token/tokenStore.js';
import type { TokenRequest, TokenResponse, TokenStreamOptions } from '../token/types.js';
import { openBus } from './bus.js';
import { isToken, read, write, type Message } from './message.js';
import { after } from './patience.js';
import { createShelf } from './shelf.js';
import { createTurns } from './turns.js';

export interface TabTokenStoreOptions {
  /** What the tabs that share a token have in common: one name for each client identity, user and scope. Not empty. */
  name: string;
  /** Before it fetches, a tab asks the others, and waits this many ms for their answer. Finite, >= 0. Default 40. */
  askTimeout?: number;
  /**
   * How many ms a tab waits for its turn, in all, before it fetches beside the one whose turn it is: a browser may freeze a tab
   * in mid-fetch. More than the stream's `fetchTimeout`, after which a tab that does not stand still gives the turn
   * away. >= 0, or Infinity. Default 15 000.
   */
  lockTimeout?: number;
  /**
   * The stream's option of that name, where it has one: how long a token lives, in ms, that says nothing of it itself. Else
   * other tabs would be given such a token when it is over. `undefined`: what the response says. Default: that, always.
   */
  lifetime?: TokenStreamOptions['lifetime'];
}

export interface TabTokenStore extends TokenStore {
  /**
   * Signs out: closes the streams of all tabs that share the store's name, this one's too, and forgets the token. It is
   * final for this store; who signs in again makes a new one.
   */
  signOut(): void;
}

/** Asks the source, and hands it the last response. */
type Fetch = (last?: TokenResponse | null) => Observable<TokenResponse>;

/** The answer of one tab is the news of all. */
type News = { readonly type: 'token'; readonly stored: StoredToken } | { readonly type: 'signOut' };

/**
 * Shares one token among the browser's tabs: one fetch per token life, whichever tab needs it first.
 *
 * ```
 * tab 1   T1---------- due: lock, ask, fetch --T2------------    tells the others
 * tab 2   T1-----------------------------------T2------------
 * tab 3            new: lock, ask --T1---------T2------------    is told
 * ```
 *
 * Tabs take turns by Web Locks and tell each other by BroadcastChannel; the lock of a tab that crashes is free at once, and one
 * that stands still is not waited for without end. The token stays in memory, and in messages within the same origin: nothing is stored. The whole response is shared,
 * so a refresh token that rotates goes on from the last one, whichever tab got it. Without Web Locks (an
 * insecure context) each tab fetches when it must, and tells the others.
 *
 * ```ts
 * import { createTokenStream } from 'rx-fresh-token';
 * import { tabTokenStore } from 'rx-fresh-token/tabs';
 *
 * const store = tabTokenStore({ name: 'orders' });
 * const token$ = createTokenStream(() => fetch('/session/token', { method: 'POST' }).then((r) => r.json()), { store });
 * token$.subscribe({ complete: () => location.assign('/signed-out') });
 * document.querySelector('#sign-out')?.addEventListener('click', () => store.signOut());
 * ```
 *
 * @throws TypeError that names an option out of range
 */
export function tabTokenStore(options: TabTokenStoreOptions): TabTokenStore {
  const { name, lifetime } = options;
  if (typeof name !== 'string' || name === '') throw wrong('name', name, 'a string that is not empty');
  const { askTimeout, lockTimeout } = numbersIn(
    { askTimeout: options.askTimeout, lockTimeout: options.lockTimeout },
    { askTimeout: [0, FINITE, 40], lockTimeout: [0, Infinity, 15_000] },
  );
  requireFunctions({ lifetime });
  const id = `rx-fresh-token/${name}`;
  const bus = openBus(id);
  const shelf = createShelf(CLOCKS, lifetime);
  const turns = createTurns(id, lockTimeout);
  const signedOut = new Subject<News>();
  let ended = false;

  const post = (message: Message) => {
    bus.post(write(message, Date.now()));
  };
  const tell = (type: 'token' | 'last', { response, age }: StoredToken) => {
    // A source's response may hold what no message can; JSON is what it came as.
    post({ type, response: JSON.parse(JSON.stringify(response)) as TokenResponse, age });
  };
  /** What JSON cannot hold either, a BigInt or a circle, stays in this tab: it may cost neither the token nor the hearing. */
  const leniently = (work: () => void) => {
    try {
      work();
    } catch {
      // Nobody is told.
    }
  };
  const reply = () => {
    const [known, last] = [shelf.get(), shelf.last()];
    if (known) tell('token', known);
    else if (last) tell('last', last);
  };

  const heard$ = defer(() => bus.posted$).pipe(
    map((data): News | null => {
      const message = ended ? null : read(data, Date.now());
      if (message?.type === 'token') {
        if (!shelf.put(message.response, message.age)) return null;
        turns.served();
        return { type: 'token', stored: { ...message, origin: 'shared' } };
      }
      if (message?.type === 'signOut') {
        forget();
        return { type: 'signOut' };
      }
      if (message?.type === 'last') shelf.keep(message.response, message.age);
      if (message?.type === 'ask') leniently(reply);
      return null;
    }),
    filter((news) => news !== null),
    share(),
  );

  function forget(): void {
    ended = true;
    shelf.clear();
  }

  /** When it is this tab's turn: someone may have been quicker, and the news still on its way. */
  const lead = (request: TokenRequest, fetch: Fetch): Observable<StoredToken> => {
    const previous = request.previous?.value;
    const known$ = defer(() => of(shelf.get(previous)));
    const answered$ = defer(() => {
      post({ type: 'ask' });
      return heard$.pipe(map(() => shelf.get(previous)));
    }).pipe(takeUntil(after(askTimeout)));
    const fetched$ = defer(() => {
      const age = stopwatch();
      return fetch(shelf.last()?.response ?? null).pipe(
        take(1),
        map((response): StoredToken => ({ response, age: age() + headStartOf(request), origin: 'fetched' })),
        tap((stored) => {
          if (ended || !isToken(stored.response)) return;
          turns.served();
          shelf.clear();
          shelf.put(stored.response, stored.age);
          leniently(() => {
            tell('token', stored);
          });
        }),
      );
    });
    return concat(known$, answered$, fetched$).pipe(
      filter((stored) => stored !== null),
      take(1),
    );
  };

  const refresh = (request: TokenRequest, fetch: Fetch): Observable<StoredToken> =>
    defer(() => {
      const { previous, reason } = request;
      if (ended) return throwError(() => new TokenStreamClosedError('signed out'));
      if (reason === 'rejected') shelf.refuse(previous?.value);
      const known = shelf.get(previous?.value);
      return known
        ? of(known)
        : merge(
            heard$.pipe(ignoreElements()),
            turns.take(() => lead(request, fetch)),
          ).pipe(take(1));
    });

  return {
    refresh,
    changes: heard$.pipe(
      filter((news) => news.type === 'token'),
      map(({ stored }) => stored),
    ),
    closed: merge(signedOut, heard$.pipe(filter(({ type }) => type === 'signOut'))),
    signOut: () => {
      if (ended) return;
      forget();
      post({ type: 'signOut' });
      signedOut.next({ type: 'signOut' });
    },
  };
}
