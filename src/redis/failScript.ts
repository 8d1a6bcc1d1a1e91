/**
 * Gives the lease back. With a pause it says that the fetch failed, and that nobody is to try before; a pause of 0 says
 * nothing about the token endpoint.
 *
 * KEYS[1] the hash. ARGV: fence, pause, failure, channel. Answers: O now, or S now when someone else has led since.
 */
export const FAIL = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fence, pause = tonumber(ARGV[1]), tonumber(ARGV[2])
local function text(n) return string.format('%.0f', n) end
local h = redis.call('HMGET', KEYS[1], 'fence', 'failures', 'owner')
if fence ~= tonumber(h[1] or 0) or not h[3] then return { 'S', text(now) } end
redis.call('HDEL', KEYS[1], 'owner', 'since', 'until')
if pause > 0 then
  redis.call('HSET', KEYS[1], 'paused', text(now), 'retry', text(now + pause), 'failure', ARGV[3], 'failures', text(tonumber(h[2] or 0) + 1))
  if redis.call('PTTL', KEYS[1]) < pause + 3600000 then redis.call('PEXPIRE', KEYS[1], text(pause + 3600000)) end
end
redis.call('PUBLISH', ARGV[4], 'F\\n' .. text(now))
return { 'O', text(now) }
`;
