/** The Lua scripts as typed calls, and what their answers say about the clock of Redis. */
import { Subject } from 'rxjs';
import type { Timers } from '../../internal/time/timers.js';
import { createBoundedCalls } from './boundedCalls.js';
import { isDown, scriptRunner } from '../connection/client.js';
import { createClockBound } from './clockBound.js';
import type { StoreSettings } from '../options.js';
import {
  parseAcquireReply,
  parseCommitReply,
  parseSignOutReply,
  type Acquired,
  type AnswerHeader,
  type EncryptedToken,
} from './replies.js';
import { ACQUIRE } from './acquireScript.js';
import { COMMIT } from './commitScript.js';
import { FAIL } from './failScript.js';
import { ttlOf, SHORTEST_PAUSE } from '../refresh/leaseTimes.js';
import { SIGN_OUT } from './signOutScript.js';

/**
 * Why a token is wanted although there is one. `forced`: the application called `refresh()`. `rejected`: a server
 * rejected the token.
 */
export type Kind = '' | 'forced' | 'rejected';

/** An answer, and when it was asked for and came, by a clock that is never set. */
export type Timed<T> = T & { readonly sent: number; readonly received: number };

/** A token to store. Its generation is the fence of the lease. */
export interface Commit extends EncryptedToken {
  /** The generation that it replaces. */
  readonly beyond: number;
  /** When it was asked for, by the local clock. */
  readonly requestedAt: number;
  /** How long its fetch took. */
  readonly took: number;
  /** How long Redis keeps it. */
  readonly ttl: number;
  readonly owner: string;
}

export interface Ask {
  /** With an empty one it only reads. */
  readonly owner: string;
  /** A token later than this generation is asked for. */
  readonly beyond: number;
  readonly kind: Kind;
  /** Of the pause after a failure, only the shortest counts. */
  readonly shortensPause: boolean;
  /** This process knows a refresh token from here. */
  readonly hasRefreshToken?: boolean;
}

export type Protocol = ReturnType<typeof createProtocol>;

/**
 * A clock that is set back, or a replica's, is behind the generations by no more than this as a rule; a message from
 * further ahead is looked up. Milliseconds.
 */
const MOST_AHEAD = 60_000;

/** The scripts as calls, each within the deadline; every answer that is read tells something of Redis' clock. */
export function createProtocol(settings: StoreSettings, now: () => number, timers: Timers) {
  const { channel, lease, forceCooldown } = settings;
  const clock = createClockBound();
  const answer$ = new Subject<Timed<AnswerHeader>>();
  let hashId = '';
  const { send, call } = createCaller(settings, now, timers, (answer) => {
    clock.learn({ ...answer, redis: answer.now });
    hashId = answer.hashId;
    answer$.next(answer);
  });

  return {
    /** Every answer that is read: it says which sign-out was the last. */
    answer$,
    /** @param onLateAnswer gets an answer that came too late for the caller */
    acquire: (
      { owner, beyond, kind, shortensPause, hasRefreshToken }: Ask,
      onLateAnswer?: (answer: Acquired) => void,
    ) => {
      const longest = shortensPause ? SHORTEST_PAUSE : '';
      const args = [owner, lease, beyond, kind, forceCooldown, longest, hasRefreshToken ? 1 : ''];
      return call(ACQUIRE, args, parseAcquireReply, onLateAnswer);
    },
    /** The age is that at the moment of sending: a commit may be repeated. */
    commit: ({ generation, issued, life, encrypted, beyond, requestedAt, took, ttl, owner }: Commit) => {
      const age = Math.ceil(now() - requestedAt);
      const args = [generation, beyond, age, Math.floor(issued), life, Math.ceil(took), ttl, channel, owner, encrypted];
      return call(COMMIT, args, parseCommitReply);
    },
    fail: (fence: number, pause: number, failure: string): Promise<unknown> =>
      send(FAIL, [fence, pause, failure, channel]),
    /** Deletes what is stored, unless a sign-out later than `endedBefore` has. The same `id` again does nothing. */
    signOut: (id: string, beyond: number, endedBefore?: number): Promise<unknown> =>
      call(SIGN_OUT, [beyond, ttlOf(0, true), channel, id, endedBefore ?? ''], parseSignOutReply),
    /** How old what was issued then is, at most. */
    ageOf: (issued: number): number => Math.max(0, (clock.latest(now()) ?? issued) - issued),
    /** Whether a message is about this hash: several may have one channel. False also before the first answer. */
    isOwnHash: (id: string): boolean => id !== '' && id === hashId,
    /** False for a generation that is far ahead of Redis' clock: no script has given it. */
    isPlausible: (generation: number): boolean => generation <= (clock.latest(now()) ?? 0) + MOST_AHEAD,
    /** A message has Redis' time in it. */
    learnTime: (redis: number): void => clock.learnAtLeast(redis, now()),
    /** Whether what was issued can be dated. Not after a message that contradicts every answer, until the next call. */
    knowsTime: clock.isKnown,
  };
}

type Arguments = readonly (string | number)[];

/**
 * Runs scripts within the deadline.
 *
 * @param onAnswer gets each answer that `call` reads, before its caller does
 */
function createCaller(
  { client, hashKey, storeDeadline }: StoreSettings,
  now: () => number,
  timers: Timers,
  onAnswer: (answer: Timed<AnswerHeader>) => void,
) {
  const run = scriptRunner(client);
  const bounded = createBoundedCalls(storeDeadline, timers, () => isDown(client));

  return {
    /** Runs a script whose answer is not read. */
    send: (script: string, args: Arguments): Promise<unknown> => bounded(() => run(script, hashKey, args)),
    /** @param onLateAnswer gets an answer that came too late for the caller */
    call: <T extends AnswerHeader>(
      script: string,
      args: Arguments,
      read: (reply: unknown) => T,
      onLateAnswer?: (answer: T) => void,
    ): Promise<Timed<T>> => {
      const sendTimed = async () => {
        const sent = now();
        const reply = await run(script, hashKey, args);
        return { reply, sent, received: now() };
      };
      const understand = ({ reply, sent, received }: Awaited<ReturnType<typeof sendTimed>>): Timed<T> => {
        const answer = { ...read(reply), sent, received };
        onAnswer(answer);
        return answer;
      };
      // Read after the call has settled: what cannot be read does not mean that Redis is not available.
      return bounded(sendTimed, (reply) => onLateAnswer?.(understand(reply))).then(understand);
    },
  };
}
