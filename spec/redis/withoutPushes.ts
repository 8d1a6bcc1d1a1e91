import type { RedisClient } from '../../src/redis/index.js';

/** As a pool: it cannot be duplicated, so there are no pushes. */
export const withoutPushes = (client: RedisClient): RedisClient =>
  new Proxy(client, {
    get: (target, name) => {
      if (name === 'duplicate') return undefined;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
