/** The Lua code with which every script begins. */
import { LEAST_LIFE } from '../stores/storedResponse.js';
import { ttlOf } from './lease.js';

/**
 * What every script begins with: `now`, Redis' clock in ms; `text`, a number as Redis keeps it; `read`, which reads
 * fields of the hash into `h`; `number`, one of these as a number; `hasLifeLeft`, as in stores/storedResponse.ts;
 * `leaseFor`, how long one may fetch; and `forget`, which ends the session.
 *
 * Numbers leave as strings: Lua would make them integers of its own kind, and clients theirs.
 */
export const PRELUDE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local h = {}
local function text(n) return string.format('%.0f', n) end
local function read(...)
  local values = redis.call('HMGET', KEYS[1], ...)
  for i, name in ipairs({ ... }) do h[name] = values[i] end
end
-- No script wrote what is no number, or a time that no clock shows: it counts as absent. A fence must have a successor.
local function number(name)
  local n = tonumber(h[name] or 0) or 0
  return n >= -1 and n < 2 ^ 52 and n or 0
end
local function hasLifeLeft(life, age)
  return life < 0 or life - age > math.min(${String(LEAST_LIFE.most)}, life * ${String(LEAST_LIFE.share)})
end
-- Short tokens have short leases, or a leader that dies costs a life. But no shorter than fetches take, and longer
-- after each failure, which may have been the lease's own doing.
local function leaseFor(life, most, took)
  return life > 0 and math.min(most, math.max(life / 3 * 2 ^ math.min(number('failures'), 20), took * 3, 250)) or most
end
-- The commit of a leader that is still fetching is refused. The hash stays, so that those who were not connected find
-- out.
local function forget(gen, ended)
  redis.call('HDEL', KEYS[1], 'token', 'issued', 'life', 'at', 'took', 'rejected', 'committed', 'owner', 'since', 'until', 'paused', 'retry', 'failure', 'failures')
  redis.call('HSET', KEYS[1], 'gen', text(gen), 'fence', text(gen), 'ended', text(ended))
  redis.call('PEXPIRE', KEYS[1], ${String(ttlOf(0, true))})
end
`;
