/** The process that holds the lease fetches, and stores what it got. */
import { firstValueFrom, type Observable } from 'rxjs';
import { headStartOf } from '../internal/sourceHooks.js';
import type { Timers } from '../internal/timers.js';
import { retryAfterOf } from '../token/failure.js';
import { fetchForStore } from '../stores/fetchForStore.js';
import type { TokenRequest, TokenResponse, TokenStreamOptions } from '../token/types.js';
import { storedLifetime } from '../stores/storedResponse.js';
import { fetchTime, ttlOf, LONGEST_LIFE, sharedPause } from './lease.js';
import type { Commit, Protocol, Timed } from './protocol.js';
import type { Acquired, EncryptedToken } from './replies.js';
import type { Encryption } from './encryption.js';
import { failureOf } from './sharedFailure.js';
import { decryptRecord, encryptRecord, type TokenRecord } from './tokenRecord.js';

export type LeaseGrant = Timed<Extract<Acquired, { type: 'lease' }>>;

/** One fetch: what for, and by whom. */
interface LeaderTask {
  readonly owner: string;
  readonly beyond: number;
  readonly fetch: (last: TokenResponse | null) => Observable<TokenResponse>;
  /** The newest token that this process knows: Redis may have lost it. */
  readonly newest: Pick<TokenRecord, 'generation' | 'response'> | null;
  /** Aborted when no caller waits any more: a fetch that fails after that says nothing about the token endpoint. */
  readonly abandoned: AbortSignal;
  /** Whether someone has signed out since the task began: its token is not to be stored. */
  readonly isSignedOut: () => boolean;
  readonly request: TokenRequest;
}

export type Outcome =
  /** Stored, for all. */
  | { readonly type: 'stored'; readonly token: TokenRecord }
  /** Someone else has led since, or has signed out: the stored token counts, if there is one. */
  | { readonly type: 'stale'; readonly token: EncryptedToken | null }
  /** Redis did not take it in time: this process uses it, and `later` tells what came of it. */
  | {
      readonly type: 'local';
      readonly failure: unknown;
      readonly response: TokenResponse;
      readonly age: number;
      readonly later: Promise<Outcome | null>;
    }
  /** The lease was over before the fetch had begun. */
  | { readonly type: 'tooLate' };

export interface LeaderContext {
  readonly calls: Pick<Protocol, 'commit' | 'fail'>;
  readonly encryption: Encryption;
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
export async function fetchUnderLease(context: LeaderContext, grant: LeaseGrant, task: LeaderTask): Promise<Outcome> {
  const { calls, encryption, now } = context;
  const { fence } = grant;
  const isAbandoned = () => task.abandoned.aborted;
  /** If this is not heard, no process is held up for long: the lease ends by itself. */
  const giveBack = async (pause = 0, failure = '') => {
    await calls.fail(fence, pause, failure).catch(() => undefined);
  };

  let last: TokenResponse | null;
  try {
    last = await lastRecord(encryption, grant, task);
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
    const response = await fetchForStore(task.fetch(last), {
      limit,
      abandoned: task.abandoned,
      timers: context.timers,
    });
    // A source may share an exchange that was sent earlier.
    const sentAt = askedAt - headStartOf(task.request);
    const took = now() - sentAt;
    token = recordOf(response, storedLifetime(response, Date.now() - took, context.lifetime), grant, sentAt);
    commit = commitOf(token, task, sentAt, took, await encryptRecord(encryption, token));
  } catch (error) {
    const pause = task.abandoned.aborted ? 0 : sharedPause(grant.failures, grant.life, retryAfterOf(error, Date.now()));
    await giveBack(pause, pause > 0 ? await encryption.encrypt('failure', failureOf(error)).catch(() => '') : '');
    throw error;
  }
  return store(context, commit, token, task);
}

/** The newest token that Redis or this process knows, expired or not: a refresh token that rotates is in it. */
async function lastRecord(
  encryption: Encryption,
  { last }: LeaseGrant,
  { newest }: LeaderTask,
): Promise<TokenResponse | null> {
  const stored = last && (await decryptRecord(encryption, last));
  const isNewer = newest && newest.generation >= (stored?.generation ?? 0);
  return (isNewer ? newest : stored)?.response ?? null;
}

function recordOf(response: TokenResponse, life: number, grant: LeaseGrant, askedAt: number): TokenRecord {
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
  { owner, beyond }: LeaderTask,
  sentAt: number,
  took: number,
  encrypted: string,
): Commit => ({
  fence: generation,
  beyond,
  sentAt,
  issued,
  life,
  took,
  ttl: ttlOf(life, typeof response.refresh_token === 'string'),
  owner,
  encrypted,
});

async function store(
  { calls, now, timers }: LeaderContext,
  commit: Commit,
  token: TokenRecord,
  { isSignedOut }: LeaderTask,
): Promise<Outcome> {
  const { sentAt, life } = commit;
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
  } catch (failure) {
    return { type: 'local', failure, response: token.response, age: Math.ceil(now() - sentAt), later: repeat() };
  }
}
