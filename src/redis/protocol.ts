import type { Timers } from '../internal/timers.js';
import { boundedCalls } from './boundedCalls.js';
import { isDown, scriptRunner } from './client.js';
import { clockBound } from './clockBound.js';
import type { storeSettings } from './options.js';
import { acquired, committed, type Acquired, type Committed, type Said } from './replies.js';
import { ACQUIRE } from './acquireScript.js';
import { COMMIT } from './commitScript.js';
import { FAIL } from './failScript.js';

export type StoreSettings = ReturnType<typeof storeSettings>;

/** Why a token is wanted although there is one. */
export type Kind = '' | 'forced' | 'rejected';

/** An answer, and when it was asked for and came, by a clock that is never set. */
export type Timed<T> = T & { readonly sent: number; readonly received: number };

export interface Commit {
  readonly fence: number;
  readonly beyond: number;
  /** When the token was asked for, by the local clock; and by Redis' clock, never too late. */
  readonly askedAt: number;
  readonly issued: number;
  readonly life: number;
  readonly took: number;
  readonly keep: number;
  readonly owner: string;
  readonly sealed: string;
}

/** The three scripts as calls, each within the deadline; every answer tells something of Redis' clock. */
export interface Protocol {
  /** With an empty owner it only looks. `late` hears an answer that came too late for the caller. */
  readonly acquire: (
    ask: { owner: string; beyond: number; kind: Kind },
    late?: (answer: Acquired) => void,
  ) => Promise<Timed<Acquired>>;
  readonly commit: (commit: Commit) => Promise<Committed>;
  readonly fail: (fence: number, pause: number, failure: string) => Promise<void>;
  /** How old what was issued then is, at most. */
  readonly ageOf: (issued: number) => number;
  /** Whether it is this hash that a message is about: a channel may be common to several. False also before Redis has said which one this is. */
  readonly isHere: (place: string) => boolean;
  /** Redis said in a message what time it was. */
  readonly heard: (now: number) => void;
  /** Whether what was issued can be dated. Not if what was heard contradicts every answer: then the next call tells. */
  readonly knowsTime: () => boolean;
}

/** Life that makes a token worth handing out: above the margin within which streams do not use it. Less for short tokens. */
export const LEAST_LIFE = 1500;

export function protocol(
  { client, place, channel, lease, forceCooldown, storeDeadline }: StoreSettings,
  now: () => number,
  timers: Timers,
): Protocol {
  const run = scriptRunner(client);
  const bounded = boundedCalls(storeDeadline, timers, () => isDown(client));
  const clock = clockBound();

  let here = '';

  const call = <T extends Said>(
    script: string,
    args: () => readonly (string | number)[],
    read: (reply: unknown) => T,
    late?: (answer: T) => void,
  ): Promise<Timed<T>> => {
    const send = async () => {
      const sent = now();
      const answer = read(await run(script, place, args()));
      const received = now();
      clock.learn({ redis: answer.now, sent, received });
      here = answer.place;
      return { ...answer, sent, received };
    };
    return bounded(send, late);
  };
  return {
    acquire: ({ owner, beyond, kind }, late) =>
      call(ACQUIRE, () => [owner, lease, beyond, kind, LEAST_LIFE, forceCooldown], acquired, late),
    commit: ({ fence, beyond, askedAt, issued, life, took, keep, owner, sealed }) =>
      call(
        COMMIT,
        () => [
          fence,
          beyond,
          Math.ceil(now() - askedAt),
          Math.floor(issued),
          life,
          Math.ceil(took),
          keep,
          channel,
          owner,
          sealed,
        ],
        committed,
      ),
    fail: async (fence, pause, failure) => {
      await bounded(() => run(FAIL, place, [fence, pause, failure, channel]));
    },
    ageOf: (issued) => Math.max(0, (clock.latest(now()) ?? issued) - issued),
    isHere: (named) => here !== '' && named === here,
    heard: (redis) => {
      clock.notBefore(redis, now());
    },
    knowsTime: clock.isKnown,
  };
}
