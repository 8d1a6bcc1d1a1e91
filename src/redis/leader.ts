import { firstValueFrom, type Observable } from 'rxjs';
import type { Timers } from '../internal/timers.js';
import { retryAfterOf } from '../token/failure.js';
import { fetchForStore } from '../stores/fetchForStore.js';
import { lifetimeOf } from '../token/refreshPolicy.js';
import type { TokenResponse, TokenStreamOptions } from '../token/types.js';
import { fetchTime, keepFor, LONGEST_LIFE, sharedPause } from './lease.js';
import type { Commit, Protocol, Timed } from './protocol.js';
import type { Acquired, SealedToken } from './replies.js';
import type { Sealing } from './sealing.js';
import { failureOf } from './sharedFailure.js';
import { openRecord, sealRecord, type TokenRecord } from './tokenRecord.js';

export type Grant = Timed<Extract<Acquired, { type: 'lead' }>>;

/** One fetch: what for, and by whom. */
export interface LeaderTask {
  readonly owner: string;
  readonly beyond: number;
  readonly fetch: (last: TokenResponse | null) => Observable<TokenResponse>;
  /** The newest token that this process knows: Redis may have lost it. */
  readonly newest: TokenRecord | null;
  /** Aborted when no caller waits any more: a fetch that fails after that says nothing about the token endpoint. */
  readonly abandoned: AbortSignal;
  /** Whether someone has signed out since the task began: its token is not to be stored. */
  readonly isSignedOut: () => boolean;
  /** Milliseconds by which the exchange that answers it was sent before it: a source may share one. */
  readonly headStart: () => number;
}

export type Outcome =
  /** Stored, for all. */
  | { readonly type: 'stored'; readonly token: TokenRecord }
  /** Someone else has led since, or has signed out: the stored token counts, if there is one. */
  | { readonly type: 'stale'; readonly token: SealedToken | null }
  /** Redis did not take it in time: this process uses it, and `later` tells what came of it. */
  | {
      readonly type: 'local';
      readonly response: TokenResponse;
      readonly age: number;
      readonly later: Promise<Outcome | null>;
    }
  /** The lease was over before the fetch had begun. */
  | { readonly type: 'tooLate' };

export interface LeaderContext {
  readonly calls: Pick<Protocol, 'commit' | 'fail'>;
  readonly sealing: Sealing;
  readonly fetchTimeout: number;
  readonly lifetime: TokenStreamOptions['lifetime'];
  readonly now: () => number;
  readonly timers: Timers;
}

/** Between attempts to store a token that Redis did not take; and for how long, at most. Milliseconds. */
const COMMIT_PAUSE = 250;
const COMMIT_TIMEOUT = 60_000;

/**
 * Fetches within the lease, and stores, even if the caller leaves meanwhile. However it ends, the lease is given back.
 */
export async function lead(context: LeaderContext, grant: Grant, task: LeaderTask): Promise<Outcome> {
  const { calls, sealing, now } = context;
  const { fence } = grant;
  const isAbandoned = () => task.abandoned.aborted;
  /** If this is not heard, no process is held up for long: the lease ends by itself. */
  const giveBack = async (pause = 0, failure = '') => {
    await calls.fail(fence, pause, failure).catch(() => undefined);
  };

  let last: TokenRecord | null;
  try {
    last = await lastRecord(sealing, grant, task);
  } catch (unreadable) {
    // Nothing is fetched: the source would present a refresh token of its own, and it may be used up.
    await giveBack();
    throw unreadable;
  }
  const askedAt = now();
  const limit = fetchTime(grant, askedAt, context.fetchTimeout);
  if (limit <= 0 || isAbandoned() || task.isSignedOut()) {
    await giveBack();
    return { type: 'tooLate' };
  }
  let commit: Commit;
  let token: TokenRecord;
  try {
    const response = await fetchForStore(task.fetch(last?.response ?? null), {
      limit,
      abandoned: task.abandoned,
      timers: context.timers,
    });
    const age = now() - askedAt + task.headStart();
    const life = lifetimeOf(response, Date.now() - age, context.lifetime);
    token = recordOf(response, life, grant, askedAt - task.headStart());
    commit = commitOf(token, task, askedAt, now(), await sealRecord(sealing, token));
  } catch (error) {
    const pause = task.abandoned.aborted ? 0 : sharedPause(grant.failures, grant.life, retryAfterOf(error, Date.now()));
    await giveBack(pause, pause > 0 ? await sealing.seal('failure', failureOf(error)).catch(() => '') : '');
    throw error;
  }
  return store(context, commit, token, task);
}

/** The newest token that Redis or this process knows, expired or not: a refresh token that rotates is in it. */
async function lastRecord(sealing: Sealing, { last }: Grant, { newest }: LeaderTask): Promise<TokenRecord | null> {
  const stored = last && (await openRecord(sealing, last));
  return newest && newest.generation > (stored?.generation ?? 0) ? newest : stored;
}

function recordOf(response: TokenResponse, life: number, grant: Grant, askedAt: number): TokenRecord {
  return {
    // A commit stores under the fence; no other process can have it.
    generation: grant.fence,
    // Redis spoke before its answer came, so by its clock this is when the fetch began, or a little sooner.
    issued: Math.floor(grant.now + (askedAt - grant.received)),
    life: life === Infinity ? -1 : Math.min(LONGEST_LIFE, Math.max(0, Math.floor(life) || 0)),
    response,
  };
}

const commitOf = (
  { generation, issued, life, response }: TokenRecord,
  { owner, beyond, headStart }: LeaderTask,
  askedAt: number,
  now: number,
  sealed: string,
): Commit => ({
  fence: generation,
  beyond,
  askedAt,
  issued,
  life,
  took: now - askedAt + headStart(),
  keep: keepFor(life, typeof response.refresh_token === 'string'),
  owner,
  sealed,
});

async function store(
  { calls, now, timers }: LeaderContext,
  commit: Commit,
  token: TokenRecord,
  { isSignedOut, headStart }: LeaderTask,
): Promise<Outcome> {
  const { askedAt, life } = commit;
  const attempt = async (): Promise<Outcome> => {
    if (isSignedOut()) return { type: 'stale', token: null };
    const answer = await calls.commit(commit);
    return answer.type === 'stale' ? answer : { type: 'stored', token };
  };
  const repeat = async (): Promise<Outcome | null> => {
    const end = now() + (life < 0 ? COMMIT_TIMEOUT : Math.min(life, COMMIT_TIMEOUT));
    while (now() < end) {
      await firstValueFrom(timers.after(COMMIT_PAUSE));
      const outcome = await attempt().catch(() => null);
      if (outcome) return outcome;
    }
    return null;
  };
  try {
    return await attempt();
  } catch {
    return { type: 'local', response: token.response, age: Math.ceil(now() - askedAt + headStart()), later: repeat() };
  }
}
