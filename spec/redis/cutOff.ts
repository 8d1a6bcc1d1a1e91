import type { RedisClient } from '../../src/redis/index.js';

export interface CutOff {
  readonly client: RedisClient;
  /** From now on, until `heal`, the client says that its connection is lost. Pushes still come. */
  readonly cut: () => void;
  readonly heal: () => void;
}

/** A client that can lose its connection to a Redis that lives. */
export function cutOff(original: RedisClient): CutOff {
  let isAway = false;
  return {
    client: new Proxy(original, {
      get: (target, name) => {
        if (isAway && name === 'isReady') return false;
        if (isAway && name === 'status') return 'reconnecting';
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    }),
    cut: () => {
      isAway = true;
    },
    heal: () => {
      isAway = false;
    },
  };
}
