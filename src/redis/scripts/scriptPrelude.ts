/** The Lua code with which every script begins. */
import { LEAST_LIFE } from '../../stores/storedResponse.js';

/**
 * What every script begins with: `now`, Redis' clock in ms; `text`, a number as Redis keeps it; `read`, which reads
 * fields of the hash into `h`; `number`, one of these as a number; and `isUsable`, whether the stored token may be
 * handed out, with the rule of stores/storedResponse.ts.
 *
 * Numbers leave as strings: Lua would make them integers of its own kind, and clients theirs.
 *
 * The fields of the hash. Times and lengths are in ms, by Redis' clock.
 * - gen: generation of the stored token: the fence under which it was fetched; after a sign-out, that of the sign-out
 * - token: the record, encrypted or as JSON
 * - issued, life: when the token was requested, never too late; its lifetime, -1 unknown
 * - at, took: when it was stored; how long its fetch took
 * - rejected: generation of a token that a server rejected
 * - committed: the fence of the last commit, which may be sent again; deleted by a sign-out
 * - owner: the refresh that holds the lease
 * - since, until: when the lease began, and ends
 * - fence: that of the last lease, or sign-out
 * - extended: the fence whose lease was extended, once, for a leader that may reconnect
 * - paused, retry: when the pause after a failed fetch began, and ends
 * - failure, failures: that failure; how many since the last token
 * - hashId: made with the hash: tells it from one of the same name elsewhere
 * - ended, endedBy: generation and id of the last sign-out
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
-- Not a token from the future: Redis' clock was set back, or a replica with a slower one took over. Its age is unknown.
local function isUsable()
  return h.token and number('gen') > number('rejected') and number('at') <= now
    and hasLifeLeft(number('life'), now - number('issued'))
end
`;
