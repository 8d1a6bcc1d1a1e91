import type { RedisClient } from '../../src/redis/index.js';

export interface HeldUp {
  readonly client: RedisClient;
  /**
   * From now on no call of a script leaves, or no reply arrives, until released: as when the network stalls, or the
   * process is paused.
   */
  readonly hold: () => void;
  readonly release: () => void;
  /** The kinds of the replies that Redis has given, held up or not. */
  readonly replies: readonly string[];
}

/**
 * A client whose scripts can be held up on their way to Redis, or on the way back.
 *
 * @param script holds up the first call of this script only, which is sent in full
 */
export function heldUp(original: RedisClient, where: 'calls' | 'replies' = 'calls', script?: string): HeldUp {
  const replies: string[] = [];
  let open = Promise.resolve();
  let release = (): void => undefined;
  const client = new Proxy(original, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (name !== 'evalSha' && name !== 'evalsha' && name !== 'eval') return member.bind(target) as unknown;
      return async (...args: unknown[]) => {
        const isHeld = script === undefined || args[0] === script;
        if (isHeld && where === 'calls') await open;
        const reply: unknown = await (member as (...args: unknown[]) => unknown).apply(target, args);
        replies.push(String((reply as unknown[])[0]));
        if (isHeld && where === 'replies') await open;
        return reply;
      };
    },
  });
  return {
    client,
    replies,
    hold: () => {
      open = new Promise((resolve) => (release = resolve));
    },
    release: () => {
      release();
    },
  };
}
