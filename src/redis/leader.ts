import { firstValueFrom, fromEvent, map, merge, switchMap, take, throwIfEmpty, type Observable } from 'rxjs';
import { InvalidTokenResponseError, TokenFetchTimeoutError } from '../errors.js';
import type { Timers } from '../internal/timers.js';
import { checkTokenResponse } from '../token/tokenResponse.js';
import { retryAfterOf } from '../token/backoff.js';
import { lifetimeOf } from '../token/refreshPolicy.js';
import type { TokenResponse } from '../token/types.js';
import type { KnownToken } from './knownTokens.js';
import { fetchTime, keepFor, sharedPause } from './lease.js';
import type { Protocol, Timed } from './protocol.js';
import type { Acquired, SealedToken } from './replies.js';
import type { Sealing } from './sealing.js';
import { failureOf } from './sharedFailure.js';

export type Grant = Timed<Extract<Acquired, { type: 'lead' }>>;

/** What a fetch was for, and who made it. */
export interface Errand {
  readonly owner: string;
  readonly beyond: number;
  readonly fetch: (last: TokenResponse | null) => Observable<TokenResponse>;
  /** Aborted when nobody waits any more: a fetch that fails after that says nothing about the token endpoint. */
  readonly gone: AbortSignal;
  /** Milliseconds by which the exchange that answers it was sent before it: a source may share one. */
  readonly headStart: () => number;
}

export type Outcome =
  /** Everybody's now. */
  | { readonly type: 'stored'; readonly token: KnownToken }
  /** Someone else has led since: theirs counts, if they have one yet. */
  | { readonly type: 'stale'; readonly token: SealedToken | null }
  /** Redis did not take it in time: it is good here, and `later` tells what came of it. */
  | {
      readonly type: 'local';
      readonly response: TokenResponse;
      readonly age: number;
      readonly later: Promise<Outcome | null>;
    }
  /** The lease was over before the fetch had begun. */
  | { readonly type: 'tooLate' };

/** Between attempts to store a token that Redis did not take; and for how long, at most. Milliseconds. */
const RECOMMIT = 250;
const RECOMMIT_FOR = 60_000;

/** A fetch that nobody waits for any more has this long to end: it may have used up a refresh token, and what it brings must not be lost. Milliseconds. */
const GRACE = 2000;

/** One who leads: fetches within the lease, and stores, even if its caller leaves meanwhile. */
export function leader(
  { commit, fail }: Pick<Protocol, 'commit' | 'fail'>,
  { seal, open }: Sealing,
  { fetchTimeout, now, timers }: { readonly fetchTimeout: number; readonly now: () => number; readonly timers: Timers },
): (grant: Grant, errand: Errand) => Promise<Outcome> {
  const pause = (ms: number) => firstValueFrom(timers.after(ms));

  /** Nobody is held up for long if this is not heard: the lease ends by itself. */
  const giveUp = async (fence: number, ms: number, failure: string) => {
    await fail(fence, ms, failure).catch(() => undefined);
  };

  /** What cannot be opened is as good as nothing: it is about to be replaced. */
  const opened = async (last: string) =>
    (last === '' ? null : await open('token', last).catch(() => null)) as TokenResponse | null;

  async function fetched({ fetch, gone }: Errand, last: TokenResponse | null, limit: number): Promise<TokenResponse> {
    const late$ = timers.after(limit).pipe(
      map(() => {
        throw new TokenFetchTimeoutError(
          `no answer from the token source within ${String(Math.round(limit))} ms, which is what the lease leaves`,
        );
      }),
    );
    const left$ = fromEvent(gone, 'abort').pipe(
      switchMap(() => timers.after(GRACE)),
      map(() => {
        throw new TokenFetchTimeoutError('nobody waits for the token any more');
      }),
    );
    const response = await firstValueFrom(
      merge(
        fetch(last).pipe(
          throwIfEmpty(() => new InvalidTokenResponseError('the token source completed without a token')),
        ),
        late$,
        left$,
      ).pipe(take(1)),
    );
    checkTokenResponse(response);
    return response;
  }

  return async (grant, errand) => {
    const { fence, failures, life: lastLife } = grant;
    const last = await opened(grant.last);
    const askedAt = now();
    const limit = fetchTime(grant, askedAt, fetchTimeout);
    const isGone = () => errand.gone.aborted;
    if (limit <= 0 || isGone()) {
      await giveUp(fence, 0, '');
      return { type: 'tooLate' };
    }
    let response: TokenResponse;
    try {
      response = await fetched(errand, last, limit);
    } catch (error) {
      const ms = isGone() ? 0 : sharedPause(failures, lastLife, retryAfterOf(error, Date.now()));
      await giveUp(fence, ms, ms > 0 ? await seal('failure', failureOf(error)) : '');
      throw error;
    }
    const headStart = errand.headStart();
    const took = now() - askedAt + headStart;
    // Redis spoke before its answer came, so by its clock this is when the fetch began, or a little sooner.
    const issued = grant.now + (askedAt - grant.received) - headStart;
    const lifetime = lifetimeOf(response, Date.now() - took);
    const life = lifetime === Infinity ? -1 : Math.max(0, Math.floor(lifetime) || 0);
    const { owner, beyond } = errand;
    const sealed = await seal('token', response);
    const store = async (): Promise<Outcome> => {
      const answer = await commit({
        fence,
        beyond,
        askedAt,
        issued,
        life,
        took,
        keep: keepFor(life, typeof response.refresh_token === 'string'),
        owner,
        sealed,
      });
      return answer.type === 'stale'
        ? answer
        : { type: 'stored', token: { generation: answer.generation, issued, life, response } };
    };
    const insist = async (): Promise<Outcome | null> => {
      const end = now() + (life < 0 ? RECOMMIT_FOR : Math.min(life, RECOMMIT_FOR));
      while (now() < end) {
        await pause(RECOMMIT);
        const outcome = await store().catch(() => null);
        if (outcome) return outcome;
      }
      return null;
    };
    try {
      return await store();
    } catch {
      return { type: 'local', response, age: Math.ceil(now() - askedAt + headStart), later: insist() };
    }
  };
}
