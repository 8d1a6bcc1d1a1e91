/**
 * Asks for a token, or for the right to fetch one. One script, so that what it compares cannot change before it writes.
 *
 * KEYS[1] the hash. ARGV: owner ('' only looks), lease, generation to get beyond, kind ('', 'forced', 'rejected'),
 * least life worth having, cool-down of forced refreshes; all times in ms.
 *
 * Answers, `now` being Redis' clock in ms, and `place` what tells this hash from one of the same name elsewhere ('' none yet):
 *   T now place generation issued life token      a token; life -1 when unknown
 *   W now place left                              someone else fetches, for so long at most
 *   B now place left failure                      not before that, because of this failure, or ('') of the cool-down
 *   L now place fence lease failures life last    you fetch; `last` is what was stored, valid or not
 *   N now place                                   nothing to see, for one who only looks
 *
 * Numbers leave as strings: Lua would make them integers of its own kind, and clients theirs.
 */
export const ACQUIRE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local owner, lease, beyond, kind = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local least, cooldown = tonumber(ARGV[5]), tonumber(ARGV[6])
local function text(n) return string.format('%.0f', n) end
local h = redis.call('HMGET', KEYS[1], 'gen', 'token', 'issued', 'life', 'owner', 'until', 'fence', 'rejected', 'retry', 'failure', 'failures', 'at', 'took', 'place', 'since', 'paused')
local function number(i) return tonumber(h[i] or 0) end
local gen, issued, life, held, fence, rejected, at = number(1), number(3), number(4), number(6), number(7), number(8), number(12)
local stored, place = h[2] or '', h[14] or ''

-- The generation is compared here and not by the caller: a rejection that comes late costs nothing.
if kind == 'rejected' and beyond == gen and gen > rejected then
  rejected = gen
  redis.call('HSET', KEYS[1], 'rejected', text(gen))
end

-- A token from the future: Redis' clock was set back, or a replica with a slower one took over. Nobody knows its age.
local valid = gen > rejected and stored ~= '' and at <= now and (life < 0 or issued + life - now > math.min(least, life / 10))
if valid and gen > beyond then return { 'T', text(now), place, text(gen), text(issued), text(life), stored } end
if owner == '' then return { 'N', text(now), place } end

-- Nor does a lease or a pause from the future hold anybody up: it would last for as long as the clock was set back.
if number(15) > now then held = 0 end
local mine = h[5] == owner and held > now
if held > now and not mine then return { 'W', text(now), place, text(held - now) } end

-- The same owner asks again because the reply was lost: the same fence, so it still has one fetch only.
if not mine then
  local retry = number(16) > now and 0 or number(9)
  if retry > now then return { 'B', text(now), place, text(retry - now), h[10] or '' } end
  if life > 0 then cooldown = math.min(cooldown, life / 3) end
  if kind ~= '' and gen > 0 and beyond > 0 and at <= now and at + cooldown > now then return { 'B', text(now), place, text(at + cooldown - now), '' } end

  -- Short tokens have short leases, or a leader that dies costs a life. But no shorter than fetches take, and longer
  -- after each failure, which may have been the lease's own doing.
  if life > 0 then
    lease = math.min(lease, math.max(life / 3 * 2 ^ math.min(number(11), 20), number(13) * 3, 250))
  end
  -- In ms since 1970 at least: it grows even after the data was lost.
  fence = math.max(fence + 1, now)
  held = now + math.floor(lease)
  -- Named after who leads here first, of whom there is one in the world.
  if place == '' then place = owner end
  redis.call('HSET', KEYS[1], 'owner', owner, 'since', text(now), 'until', text(held), 'fence', text(fence), 'place', place)
  if redis.call('PTTL', KEYS[1]) < 3600000 then redis.call('PEXPIRE', KEYS[1], 3600000) end
end
return { 'L', text(now), place, text(fence), text(held - now), text(number(11)), text(life), stored }
`;
