import { ensureRedisServer } from '../redis/binary.mjs';
import redis from '../redis/server.cjs';

/** One Redis for all specs that do not break theirs: each uses a key of its own. */
export const start = async () => {
  ensureRedisServer();
  const { url, stop } = await redis.startRedis();
  return { env: { REDIS_URL: url }, stop };
};
