import {
  asyncScheduler,
  concatMap,
  defer,
  EMPTY,
  filter,
  finalize,
  firstValueFrom,
  from,
  merge,
  Observable,
  of,
  share,
  Subject,
  take,
} from 'rxjs';
import { headStartOf } from '../internal/sourceHooks.js';
import { createTimers } from '../internal/timers.js';
import type { StoredToken, TokenStore } from '../token/tokenStore.js';
import type { TokenRequest, TokenResponse } from '../token/types.js';
import { knownTokens, type KnownToken } from './knownTokens.js';
import { leader, type Outcome } from './leader.js';
import { pollPause } from './lease.js';
import { storeSettings, type RedisTokenStoreOptions } from './options.js';
import { LEAST_LIFE, protocol, type Kind } from './protocol.js';
import { pushed, type SealedToken } from './replies.js';
import { sealing } from './sealing.js';
import { errorOf } from './sharedFailure.js';
import { channelEvents, type ChannelEvent } from './subscription.js';

/** Between attempts to reach Redis while somebody waits for it. Milliseconds. */
const RETRY = 150;

type Fetch = (last?: TokenResponse | null) => Observable<TokenResponse>;

/**
 * One token for all processes with one client identity, shared through Redis: one fetch per token lifetime for the whole
 * fleet, and everyone has the new token within milliseconds.
 *
 * One process at a time leads: it holds a lease, fetches, and stores under a fence that only ever grows, so that one who
 * slept past its lease cannot overwrite what came after. The others hear of the new token by a push, or find it when they
 * ask. A rejection names the token it is about, so fifty processes whose token was revoked cost one fetch. A failed fetch
 * makes everybody pause, and everybody gets that failure: its class, message, `status` and `error`.
 *
 * Times are Redis' own. Processes never compare clocks, and no token is thought younger than it is.
 *
 * ```ts
 * import { createClient } from 'redis';
 * import { createTokenStream } from 'rx-fresh-token';
 * import { clientCredentials } from 'rx-fresh-token/oauth';
 * import { redisTokenStore } from 'rx-fresh-token/redis';
 *
 * const client = createClient({ url: process.env.REDIS_URL });
 * client.on('error', (error) => console.warn(error.message));
 * await client.connect();
 * const token$ = createTokenStream(
 *   clientCredentials({ issuer: 'https://id.example.com', clientId: 'orders', clientSecret: process.env.CLIENT_SECRET }),
 *   { store: redisTokenStore({ client, key: 'orders', encryptionKey: { id: '2026', key: Buffer.from(process.env.TOKEN_KEY, 'base64') } }) },
 * );
 * ```
 *
 * @returns a store for one stream: give each stream its own. Its connection for pushes is open while the stream is in use.
 * @throws {@link !TypeError} at creation, when an option is missing or out of range; it never quotes a key's bytes.
 * A refresh fails with {@link TokenStoreError} when what is stored cannot be opened; while Redis does not answer, that
 * error is reported as an event, and the refresh goes on, or with `onUnavailable: 'local'` fetches.
 */
export function redisTokenStore(options: RedisTokenStoreOptions): TokenStore {
  const settings = storeSettings(options);
  const { client, channel, place, keys, fetchTimeout, onUnavailable } = settings;
  // Of a clock that is never set. The timers do not keep a process alive: whoever waits does.
  const now = () => performance.now();
  const timers = createTimers(asyncScheduler);
  const { acquire, commit, fail, ageOf, isHere, heard, knowsTime } = protocol(settings, now, timers);
  const { seal, open } = sealing(keys, place);
  const lead = leader({ commit, fail }, { seal, open }, { fetchTimeout, now, timers });
  const known = knownTokens();
  const me = crypto.randomUUID();
  let refreshes = 0;
  /** Something was said in the channel: whoever waits looks again. */
  const news = new Subject<void>();
  /** Tokens of others that did not come through the channel. */
  const found = new Subject<KnownToken>();

  const handOut = ({ response, issued }: KnownToken, origin: StoredToken['origin']): StoredToken => ({
    response,
    age: ageOf(issued),
    origin,
  });

  async function learn({ generation, issued, life, sealed }: SealedToken): Promise<KnownToken> {
    const token: KnownToken = { generation, issued, life, response: (await open('token', sealed)) as TokenResponse };
    known.add(token);
    return token;
  }

  /** A token later than `beyond` that came while we were busy, and still has some life. */
  function newerThan(beyond: number): KnownToken | null {
    const newest = known.newest();
    if (!newest || newest.generation <= beyond || !knowsTime()) return null;
    const { life, issued } = newest;
    return life < 0 || life - ageOf(issued) > Math.min(LEAST_LIFE, life / 10) ? newest : null;
  }

  // ---- one refresh

  const refresh = (request: TokenRequest, fetch: Fetch): Observable<StoredToken> =>
    defer(() => {
      const gone = new AbortController();
      return from(settle(request, fetch, gone.signal)).pipe(
        finalize(() => {
          gone.abort();
        }),
      );
    });

  async function settle(request: TokenRequest, fetch: Fetch, gone: AbortSignal): Promise<StoredToken> {
    const { reason, previous } = request;
    const owner = `${me}.${String(++refreshes)}`;
    const kind: Kind = reason === 'rejected' ? 'rejected' : reason === 'manual' ? 'forced' : '';
    let { generation: beyond, sure } = known.generationOf(previous);
    const isPrevious = ({ response }: KnownToken) => response.access_token === previous?.value;
    let onItsOwn = false;
    const over = () => gone.aborted || onItsOwn;
    /** Sleeps until something is said, at most so long; or for ever if nobody waits any more. */
    const sleep = (ms: number) => firstValueFrom(merge(timers.after(ms), news).pipe(take(1)));
    const giveBack = (fence: number) => {
      fail(fence, 0, '').catch(() => undefined);
    };
    let reported = false;

    for (let round = 0; !over(); round++) {
      const newer = newerThan(beyond);
      if (newer && !isPrevious(newer)) return handOut(newer, 'shared');
      let answer: Awaited<ReturnType<typeof acquire>>;
      try {
        answer = await acquire({ owner, beyond, kind }, (late) => {
          if (late.type === 'lead' && over()) giveBack(late.fence);
        });
      } catch (failure) {
        if (onUnavailable === 'local') {
          onItsOwn = true;
          return await alone(request, fetch);
        }
        if (!reported) request.report?.(failure);
        reported = true;
        await sleep(RETRY);
        continue;
      }
      switch (answer.type) {
        case 'token': {
          const token = await learn(answer.token);
          // It was not known for what it is: now it is.
          if (!sure && isPrevious(token)) {
            beyond = token.generation;
            sure = true;
            break;
          }
          return handOut(newerThan(token.generation) ?? token, 'shared');
        }
        case 'wait':
          if (!newerThan(beyond)) await sleep(pollPause(round, answer.left));
          break;
        case 'pause':
          if (answer.failure !== '') throw errorOf(await open('failure', answer.failure), Math.ceil(answer.left));
          await sleep(answer.left + 1);
          break;
        case 'lead': {
          if (over()) {
            giveBack(answer.fence);
            break;
          }
          let outcome: Outcome;
          try {
            outcome = await lead(answer, { owner, beyond, fetch, gone, headStart: () => headStartOf(request) });
          } catch (error) {
            const newer = newerThan(beyond);
            if (newer) return handOut(newer, 'shared');
            throw error;
          }
          const stored = await conclude(outcome);
          if (stored) return stored;
          break;
        }
        case 'nothing':
      }
    }
    throw new Error('nobody waits any more');
  }

  /** What the leader hands its own stream; null: ask again. */
  async function conclude(outcome: Outcome): Promise<StoredToken | null> {
    switch (outcome.type) {
      case 'stored':
        known.add(outcome.token);
        return handOut(outcome.token, 'fetched');
      case 'stale':
        return outcome.token && handOut(await learn(outcome.token), 'shared');
      case 'local':
        known.addLocal(outcome.response);
        // What it meets may be sealed with a key that is not here: whoever needs that token will be told when asking for it.
        outcome.later.then(settleLater).catch(() => undefined);
        return { response: outcome.response, age: outcome.age, origin: 'fetched' };
      case 'tooLate':
        return null;
    }
  }

  /** Redis has taken the token after all, or has one of somebody who led since. */
  async function settleLater(outcome: Outcome | null): Promise<void> {
    if (outcome?.type === 'stored') known.add(outcome.token);
    if (outcome?.type === 'stale' && outcome.token) found.next(await learn(outcome.token));
  }

  /** Without Redis, each for itself. */
  async function alone(request: TokenRequest, fetch: Fetch): Promise<StoredToken> {
    const askedAt = now();
    const response = await firstValueFrom(fetch(known.newest()?.response ?? null));
    known.addLocal(response);
    return { response, age: Math.ceil(now() - askedAt + headStartOf(request)), origin: 'fetched' };
  }

  // ---- what others do

  async function hear(event: ChannelEvent): Promise<KnownToken | null> {
    const push = event.type === 'message' ? pushed(event.text) : null;
    if (push === undefined) return null;
    try {
      if (push) heard(push.now);
      if (push?.type === 'failed' || push?.owner.startsWith(me)) return null;
      // Of another database or key prefix, perhaps, or of an age that nobody can tell: then it only says that it is time to look.
      const token = push && isHere(push.place) && knowsTime() ? push.token : await look();
      return token && (await learn(token));
    } catch {
      return null; // Sealed for others, or Redis does not answer. Whoever needs a token will hear of it when asking for one.
    } finally {
      news.next();
    }
  }

  /** What may have been missed before the channel was open. It also tells the time, without which no push can be dated. */
  async function look(): Promise<SealedToken | null> {
    const answer = await acquire({ owner: '', beyond: known.newest()?.generation ?? 0, kind: '' });
    return answer.type === 'token' ? answer.token : null;
  }

  const changes = defer(() => {
    let newest = 0;
    return merge(channelEvents(client, channel, timers).pipe(concatMap(hear)), found).pipe(
      filter((token) => token !== null && token.generation > newest),
      concatMap((token) => {
        if (!token) return EMPTY;
        newest = token.generation;
        return of(handOut(token, 'shared'));
      }),
      finalize(known.clear),
    );
  }).pipe(share());

  return { refresh, changes };
}
