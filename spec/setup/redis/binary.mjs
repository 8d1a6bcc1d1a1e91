import { ensurePackages, isOnPath } from '../debian.mjs';

/** The specs of `src/redis` need redis-server, 6.2 or later. */
export const ensureRedisServer = () => ensurePackages({ 'redis-server': () => isOnPath('redis-server') });
