/** A deadline for each call to Redis. */
import { TokenStoreError } from '../errors.js';
import type { Timers } from '../internal/timers.js';

/** Redis did not answer, or refused to. Any other TokenStoreError is about what Redis holds. */
export class RedisUnavailable extends TokenStoreError {}

/**
 * Calls that were given up, and that the client has neither answered nor refused. More would only lengthen its queue.
 */
const MAX_UNANSWERED = 4;

/**
 * A call that was given up counts for so long as one that the client may still send. Clients lose calls: then they
 * never settle. Milliseconds.
 */
const UNANSWERED_FOR = 30_000;

/** Between checks whether a call that is under way still has a connection. Milliseconds. */
const CHECK_INTERVAL = 50;

/** Sends a call, and settles within the deadline. `late` gets a reply that came after that. */
type BoundedCall = <T>(send: () => Promise<T>, late?: (reply: T) => void) => Promise<T>;

/**
 * A deadline of our own on every call: clients wait for seconds or minutes, and send what they have queued when no
 * caller wants it any more.
 */
export function createBoundedCalls(deadline: number, timers: Timers, isDown: () => boolean): BoundedCall {
  const unanswered = new Set<object>();
  let everAnswered = false;

  return (send, late) =>
    new Promise((resolve, reject) => {
      // A client that has just been made is connecting: it gets its time.
      const isLost = () => everAnswered && isDown();
      if (unanswered.size >= MAX_UNANSWERED || isLost()) {
        reject(unavailable(isLost() ? 'the connection is lost' : UNANSWERED));
        return;
      }
      const call = {};
      let left = deadline;
      let settled = false;
      const giveUp = (reason: string) => {
        settled = true;
        unanswered.add(call);
        timers.after(UNANSWERED_FOR).subscribe(() => unanswered.delete(call));
        reject(unavailable(reason));
      };
      const watch = () => {
        const step = Math.min(left, CHECK_INTERVAL);
        left -= step;
        return timers.after(step).subscribe(() => {
          if (settled) return;
          if (isLost()) giveUp('the connection is lost');
          else if (left <= 0) giveUp(`no answer within ${String(deadline)} ms`);
          else timer = watch();
        });
      };
      let timer = watch();
      const answered = () => {
        timer.unsubscribe();
        unanswered.delete(call);
        return settled;
      };
      // At once: the application may close the client next.
      (async () => send())().then(
        (reply) => {
          everAnswered = true;
          if (answered()) late?.(reply);
          else resolve(reply);
        },
        (error: unknown) => {
          if (answered()) return;
          settled = true;
          const reason = printableReason(error);
          reject(reason === 'WRONGTYPE' ? new TokenStoreError(NO_HASH) : unavailable(reason));
        },
      );
    });
}

/** Redis 6 puts words of its own before the code of a command that failed in a script. */
const CODE = /^-?(?:ERR Error running script \(.{1,60}\): @user_script: ?\d+: -?)?([A-Z]{2,20})\b/;

/** A permission that a command in a script lacks has no code of its own: Redis 6, 7.0 and 7.2 say it differently. */
const NO_PERMISSION =
  /^-?ERR (?:Error running script .{1,120}: )?(?:ACL failure in script:|The user executing the script can't )/;

/** What `ioredis` says by an Error without a code, and what Redis says of a connection that has subscribed. */
const FIXED =
  /^(?:Connection (?:is|in) [a-z ]+|Command timed out|Stream isn't writeable|ERR Can't execute '\w+': \S+ \S+)/;

/** The command itself, or one that the script calls. */
const UNKNOWN_COMMAND = /^ERR unknown command ['`]?eval['`]?|Unknown Redis command called from (?:Lua )?script/i;

/**
 * Clients put the command with its arguments on their errors, and Redis may quote them: of these, only the code is
 * passed on.
 */
function printableReason(error: unknown): string {
  const { name, message, code, constructor } = (typeof error === 'object' && error !== null ? error : {}) as {
    name?: unknown;
    message?: unknown;
    code?: unknown;
    constructor?: { name?: unknown };
  };
  const text = typeof message === 'string' ? message : '';
  const fixed = FIXED.exec(text) ?? UNKNOWN_COMMAND.exec(text);
  const redisCode = NO_PERMISSION.test(text) ? 'NOPERM' : (fixed?.[0] ?? CODE.exec(text)?.[1]);
  const known = typeof code === 'string' && /^[A-Z_]{2,40}$/.test(code) ? code : redisCode;
  // The errors of `redis` have no name of their own, such as ClientClosedError: `connect()` was forgotten.
  const label = name === 'Error' ? constructor?.name : name;
  return known ?? (typeof label === 'string' && /^\w{1,60}$/.test(label) ? label : 'Error');
}

const NO_HASH = 'the key in Redis holds something that no script of this library has written';

const UNANSWERED = 'earlier calls are still unanswered, and the connection may be dead';

const unavailable = (reason: string) => new RedisUnavailable(`Redis is not available: ${reason}`);
