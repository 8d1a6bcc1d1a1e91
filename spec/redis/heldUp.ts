import type { RedisClient } from '../../src/redis/index.js';

export interface HeldUp {
  readonly client: RedisClient;
  /** From now on no call of a script leaves, until released: as when the network stalls, or the process is paused. */
  readonly hold: () => void;
  readonly release: () => void;
}

/** A client whose scripts can be held up on their way to Redis. */
export function heldUp(original: RedisClient): HeldUp {
  let open = Promise.resolve();
  let release = (): void => undefined;
  const client = new Proxy(original, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (name !== 'evalSha' && name !== 'evalsha' && name !== 'eval') return member.bind(target) as unknown;
      return async (...args: unknown[]) => {
        await open;
        return (member as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  return { client, hold: () => { open = new Promise((resolve) => (release = resolve)); }, release: () => { release(); } };
}
