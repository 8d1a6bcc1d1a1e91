import {
  asyncScheduler,
  defer,
  filter,
  finalize,
  map,
  of,
  share,
  Subject,
  tap,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { TokenStoreError } from '../errors.js';
import { headStartOf } from '../internal/sourceHooks.js';
import { lifetimeOf } from '../token/refreshPolicy.js';
import type { StoredToken, TokenStore } from '../token/tokenStore.js';
import type { TokenRequest, TokenResponse } from '../token/types.js';

/**
 * The simplest store: streams of one process share a token. For tests, and as an example for your own store.
 *
 * ```ts
 * const place = {};
 * const one$ = createTokenStream(source, { store: memoryTokenStore(place) });
 * const other$ = createTokenStream(source, { store: memoryTokenStore(place) });
 * ```
 *
 * @param place all stores with the same object share one token. Default: an object of its own.
 * @param scheduler where time comes from; that of the streams. Default `asyncScheduler`.
 */
export function memoryTokenStore(place: object = {}, scheduler: SchedulerLike = asyncScheduler): TokenStore {
  const memory = memories.get(place) ?? newMemory();
  memories.set(place, memory);
  const self = {};
  const answerOf = ({ response, since }: Entry, origin: StoredToken['origin']): StoredToken => ({
    response,
    age: Math.max(0, scheduler.now() - since),
    origin,
  });

  const fetchOnce = (
    request: TokenRequest,
    fetch: (last: TokenResponse | null) => Observable<TokenResponse>,
  ): Observable<Entry> =>
    defer(() => {
      const asked = scheduler.now();
      const { session } = memory;
      return fetch(memory.entry?.response ?? null).pipe(
        map((response): Entry => {
          const since = asked - headStartOf(request);
          return { response, since, until: since + lifetimeOf(response, since) };
        }),
        tap((entry) => {
          if (memory.session !== session) throw new TokenStoreError('the session ended while the token was on its way');
          memory.entry = entry;
          memory.changes.next({ entry, by: self });
        }),
        tap({
          next: () => (memory.rejected = false),
          // The rejected token is the one that there is, and may be good elsewhere.
          error: () => (memory.rejected &&= memory.session !== session),
        }),
        finalize(() => {
          if (memory.session === session) memory.fetching = null;
        }),
      );
    }).pipe(share());

  return {
    refresh: (request, fetch) =>
      defer(() => {
        const { previous, reason } = request;
        const { entry } = memory;
        const isPrevious = entry?.response.access_token === previous?.value;
        if (reason === 'rejected' && isPrevious) memory.rejected = true;
        if (entry && !isPrevious && !memory.rejected && scheduler.now() < entry.until)
          return of(answerOf(entry, 'shared'));
        const isOwn = memory.fetching === null;
        memory.fetching ??= fetchOnce(request, fetch);
        return memory.fetching.pipe(map((next) => answerOf(next, isOwn ? 'fetched' : 'shared')));
      }),
    changes: memory.changes.pipe(
      filter(({ by }) => by !== self),
      map(({ entry }) => answerOf(entry, 'shared')),
    ),
    signOut: () => {
      Object.assign(memory, { entry: null, rejected: false, fetching: null, session: memory.session + 1 });
      memory.signOuts.next();
    },
    signedOut: memory.signOuts,
  };
}

interface Entry {
  readonly response: TokenResponse;
  /** When it was asked for. */
  readonly since: number;
  readonly until: number;
}

interface Memory {
  entry: Entry | null;
  rejected: boolean;
  fetching: Observable<Entry> | null;
  /** Counts the sessions: a sign-out begins the next. */
  session: number;
  readonly signOuts: Subject<void>;
  readonly changes: Subject<{ readonly entry: Entry; readonly by: object }>;
}

const memories = new WeakMap<object, Memory>();

const newMemory = (): Memory => ({
  entry: null,
  rejected: false,
  fetching: null,
  session: 0,
  signOuts: new Subject(),
  changes: new Subject(),
});
