/** The public function `memoryTokenStore`: a store within one process. */
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
import { headStartOf } from '../internal/hiddenMembers.js';
import { lifetimeOf } from '../token/decisions/lifetime.js';
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
  const memory = memories.get(place) ?? { session: newSession(), signOuts: new Subject(), changes: new Subject() };
  memories.set(place, memory);
  const self = {};
  const answerOf = ({ response, since }: Entry, origin: StoredToken['origin']): StoredToken => ({
    response,
    age: Math.max(0, scheduler.now() - since),
    origin,
  });

  function fetchOnce(request: TokenRequest, fetch: Parameters<TokenStore['refresh']>[1]): Observable<Entry> {
    const { session } = memory;
    const asked = scheduler.now();
    return fetch(session.entry?.response ?? null).pipe(
      map((response): Entry => {
        if (memory.session !== session) throw new TokenStoreError('the session ended while the token was on its way');
        const since = asked - headStartOf(request);
        return { response, since, until: since + lifetimeOf(response, since) };
      }),
      tap({
        next: (entry) => {
          session.entry = entry;
          session.isRejected = false;
          memory.changes.next({ entry, by: self });
        },
        // The rejected token is the only one there is, and may be good elsewhere.
        error: () => (session.isRejected = false),
      }),
      finalize(() => (session.fetching = null)),
      share(),
    );
  }

  return {
    refresh: (request, fetch) =>
      defer(() => {
        const { session } = memory;
        const { entry } = session;
        const isPrevious = entry?.response.access_token === request.previous?.value;
        if (request.reason === 'rejected' && isPrevious) session.isRejected = true;
        if (entry && !isPrevious && !session.isRejected && scheduler.now() < entry.until)
          return of(answerOf(entry, 'shared'));
        const origin = session.fetching ? 'shared' : 'fetched';
        session.fetching ??= fetchOnce(request, fetch);
        return session.fetching.pipe(map((next) => answerOf(next, origin)));
      }),
    changes: memory.changes.pipe(
      filter(({ by }) => by !== self),
      map(({ entry }) => answerOf(entry, 'shared')),
    ),
    signOut: () => {
      memory.session = newSession();
      memory.signOuts.next();
    },
    signedOut: memory.signOuts,
  };
}

/** What all stores of a place share. */
interface Memory {
  session: Session;
  readonly signOuts: Subject<void>;
  readonly changes: Subject<{ readonly entry: Entry; readonly by: object }>;
}

/** The time between two sign-outs. */
interface Session {
  entry: Entry | null;
  /** A server rejected the token, and it is being replaced. */
  isRejected: boolean;
  fetching: Observable<Entry> | null;
}

interface Entry {
  readonly response: TokenResponse;
  /** When it was asked for. */
  readonly since: number;
  readonly until: number;
}

const memories = new WeakMap<object, Memory>();

const newSession = (): Session => ({ entry: null, isRejected: false, fetching: null });
