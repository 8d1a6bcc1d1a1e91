import type { RedisClient } from '../../src/redis/index.js';

export interface HeldUp {
  readonly client: RedisClient;
  /**
   * From now on no call of a script leaves, or no reply arrives, until released: as when the network stalls, or the
   * process is paused.
   */
  readonly hold: () => void;
  readonly release: () => void;
}

/** A client whose scripts can be held up on their way to Redis, or on the way back. */
export function heldUp(original: RedisClient, where: 'calls' | 'replies' = 'calls'): HeldUp {
  let open = Promise.resolve();
  let release = (): void => undefined;
  const client = new Proxy(original, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (name !== 'evalSha' && name !== 'evalsha' && name !== 'eval') return member.bind(target) as unknown;
      return async (...args: unknown[]) => {
        if (where === 'calls') await open;
        const reply: unknown = await (member as (...args: unknown[]) => unknown).apply(target, args);
        if (where === 'replies') await open;
        return reply;
      };
    },
  });
  return {
    client,
    hold: () => {
      open = new Promise((resolve) => (release = resolve));
    },
    release: () => {
      release();
    },
  };
}
