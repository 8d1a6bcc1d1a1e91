/** The Lua code with which every script begins. */
/** Scripts shorten a pause to this: no `Retry-After` stops a fleet for longer. Milliseconds. */
export const LONGEST_PAUSE = 300_000;

/**
 * What every script begins with: `now`, Redis' clock in ms; `text`, a number as Redis keeps it; and `number`, the i-th
 * of the fields `h` that the script reads.
 *
 * Numbers leave as strings: Lua would make them integers of its own kind, and clients theirs.
 */
export const PRELUDE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local h = {}
local function text(n) return string.format('%.0f', n) end
-- No script wrote what is no number, or a time that no clock shows: it counts as absent. A fence must have a successor.
local function number(i)
  local n = tonumber(h[i] or 0) or 0
  return n >= -1 and n < 2 ^ 52 and n or 0
end
`;
