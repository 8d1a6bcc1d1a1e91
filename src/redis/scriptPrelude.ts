/** The Lua code with which every script begins. */
import { LEAST_LIFE } from '../stores/storedResponse.js';

/**
 * What every script begins with: `now`, Redis' clock in ms; `text`, a number as Redis keeps it; `read`, which reads
 * fields of the hash into `h`; `number`, one of these as a number; and `hasLifeLeft`, as in stores/storedResponse.ts.
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
`;
