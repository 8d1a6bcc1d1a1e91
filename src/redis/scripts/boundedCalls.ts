/** A deadline for each call to Redis. */
import { catchError, firstValueFrom, from, ignoreElements, merge, repeat, tap } from 'rxjs';
import { TokenStoreError } from '../../errors.js';
import { fieldsOf } from '../../internal/values/fieldsOf.js';
import { failAfter, type Timers } from '../../internal/time/timers.js';

/** Redis did not answer, or refused to. Any other TokenStoreError is about what Redis holds. */
export class RedisUnavailable extends TokenStoreError {}

/** So many calls that were given up may be unanswered: more would only lengthen the client's queue. */
const MAX_UNANSWERED = 4;

/** A call that was given up counts as unanswered for so long: clients lose calls. Milliseconds. */
const UNANSWERED_FOR = 30_000;

/** Between checks whether a call that is under way still has a connection. Milliseconds. */
const CHECK_INTERVAL = 50;

/** Sends a call, and settles within the deadline. `onLateReply` gets a reply that came after that. */
type BoundedCall = <T>(send: () => Promise<T>, onLateReply?: (reply: T) => void) => Promise<T>;

/**
 * A deadline of our own on every call: clients wait for seconds or minutes, and send what they have queued when no
 * caller wants it any more.
 */
export function createBoundedCalls(deadline: number, timers: Timers, isDown: () => boolean): BoundedCall {
  const unanswered = new Set<unknown>();
  let everAnswered = false;
  const failIfLost = () => {
    // A client that has just been made is connecting: it gets its time.
    if (everAnswered && isDown()) throw unavailable('the connection is lost');
  };
  const lost$ = timers.after(CHECK_INTERVAL).pipe(repeat(), tap(failIfLost), ignoreElements());
  const overdue$ = failAfter(timers, deadline, () => unavailable(`no answer within ${String(deadline)} ms`));

  return async (send, onLateReply) => {
    failIfLost();
    if (unanswered.size >= MAX_UNANSWERED)
      throw unavailable('earlier calls are still unanswered, and the connection may be dead');
    // At once: the application may close the client next.
    const sent = (async () => send())();
    let isGivenUp = false;
    const giveUp = () => {
      isGivenUp = true;
      unanswered.add(sent);
      timers.after(UNANSWERED_FOR).subscribe(() => unanswered.delete(sent));
    };
    sent
      .finally(() => unanswered.delete(sent))
      .then((reply) => {
        everAnswered = true;
        if (isGivenUp) onLateReply?.(reply);
      })
      .catch(() => undefined);
    const reply$ = from(sent).pipe(
      catchError((error: unknown) => {
        throw errorOf(error);
      }),
    );
    return firstValueFrom(merge(reply$, merge(lost$, overdue$).pipe(tap({ error: giveUp }))));
  };
}

function errorOf(error: unknown): TokenStoreError {
  const reason = printableReason(error);
  return reason === 'WRONGTYPE'
    ? new TokenStoreError('the key in Redis holds something that no script of this library has written')
    : unavailable(reason);
}

const unavailable = (reason: string) => new RedisUnavailable(`Redis is not available: ${reason}`);

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
  const { name, message, code, constructor } = fieldsOf(error);
  const text = typeof message === 'string' ? message : '';
  const fixed = FIXED.exec(text) ?? UNKNOWN_COMMAND.exec(text);
  const redisCode = NO_PERMISSION.test(text) ? 'NOPERM' : (fixed?.[0] ?? CODE.exec(text)?.[1]);
  const known = typeof code === 'string' && /^[A-Z_]{2,40}$/.test(code) ? code : redisCode;
  // The errors of `redis` have no name of their own, such as ClientClosedError: `connect()` was forgotten.
  const label = name === 'Error' ? (constructor as { name?: unknown } | undefined)?.name : name;
  return known ?? (typeof label === 'string' && /^\w{1,60}$/.test(label) ? label : 'Error');
}
