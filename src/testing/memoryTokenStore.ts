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
  const me = {};
  const handOut = ({ response, since }: Kept, origin: StoredToken['origin']): StoredToken => ({
    response,
    age: Math.max(0, scheduler.now() - since),
    origin,
  });

  const fetchOnce = (
    request: TokenRequest,
    fetch: (last: TokenResponse | null) => Observable<TokenResponse>,
  ): Observable<Kept> =>
    defer(() => {
      const asked = scheduler.now();
      const { session } = memory;
      return fetch(memory.kept?.response ?? null).pipe(
        map((response): Kept => {
          const since = asked - headStartOf(request);
          return { response, since, until: since + lifetimeOf(response, since) };
        }),
        tap((kept) => {
          if (memory.session !== session) throw new TokenStoreError('the session ended while the token was on its way');
          memory.kept = kept;
          memory.refused = false;
          memory.news.next({ kept, by: me });
        }),
        finalize(() => {
          if (memory.session === session) memory.flight = null;
        }),
      );
    }).pipe(share());

  return {
    refresh: (request, fetch) =>
      defer(() => {
        const { previous, reason } = request;
        const { kept } = memory;
        const isPrevious = kept?.response.access_token === previous?.value;
        if (reason === 'rejected' && isPrevious) memory.refused = true;
        if (kept && !isPrevious && !memory.refused && scheduler.now() < kept.until) return of(handOut(kept, 'shared'));
        const mine = memory.flight === null;
        memory.flight ??= fetchOnce(request, fetch);
        return memory.flight.pipe(map((next) => handOut(next, mine ? 'fetched' : 'shared')));
      }),
    changes: memory.news.pipe(
      filter(({ by }) => by !== me),
      map(({ kept }) => handOut(kept, 'shared')),
    ),
    signOut: () => {
      Object.assign(memory, { kept: null, refused: false, flight: null, session: memory.session + 1 });
      memory.signOuts.next({ by: me });
    },
    signedOut: memory.signOuts.pipe(filter(({ by }) => by !== me)),
  };
}

interface Kept {
  readonly response: TokenResponse;
  /** When it was asked for. */
  readonly since: number;
  readonly until: number;
}

interface Memory {
  kept: Kept | null;
  refused: boolean;
  flight: Observable<Kept> | null;
  /** Counts the sessions: a sign-out begins the next. */
  session: number;
  readonly signOuts: Subject<{ readonly by: object }>;
  readonly news: Subject<{ readonly kept: Kept; readonly by: object }>;
}

const memories = new WeakMap<object, Memory>();

const newMemory = (): Memory => ({
  kept: null,
  refused: false,
  flight: null,
  session: 0,
  signOuts: new Subject(),
  news: new Subject(),
});
