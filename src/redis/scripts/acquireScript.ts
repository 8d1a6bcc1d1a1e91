/** The Lua script with which a process gets the stored token, the lease to fetch one, or the time to wait. */
import { MAX_RETRY_AFTER } from '../../answers/isPermanentFailure.js';
import { PRELUDE } from './scriptPrelude.js';

/**
 * If the last leader has not given its lease back and there is a refresh token, the lease is extended once by this at
 * most: clients may need two seconds to reconnect. Milliseconds.
 */
const RECONNECT = 2500;

/**
 * Asks for a token, or for the right to fetch one. One script, so that what it compares cannot change before it writes.
 *
 * KEYS[1] the hash. ARGV: owner ('' only reads), lease, generation to get beyond, kind ('', 'forced', 'rejected'),
 * cool-down of forced refreshes, the longest pause to wait for ('' all of it), whether the caller has a refresh token
 * from here ('1'); all times in ms.
 *
 * Answers, `now` being Redis' clock in ms, `hashId` what tells this hash from one of the same name elsewhere ('' none
 * yet), and `ended` the generation of the last sign-out:
 *   T now hashId ended generation issued life token        a token; life -1 when unknown
 *   W now hashId ended left                                someone else fetches, for so long at most
 *   B now hashId ended left failure                        not before that, because of this failure, or ('') of the cool-down
 *   L now hashId ended fence lease failures generation issued life last   you fetch; `last` is what was stored, valid or not
 *   N now hashId ended                                     no token, for one who only reads
 */
export const ACQUIRE = `${PRELUDE}
local owner, lease, beyond, kind = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local cooldown, longest = tonumber(ARGV[5]), tonumber(ARGV[6])
read('gen', 'token', 'issued', 'life', 'owner', 'until', 'fence', 'rejected', 'retry', 'failure', 'failures', 'at', 'took', 'hashId', 'since', 'paused', 'ended', 'extended')
local gen, issued, life, held, fence, rejected, at = number('gen'), number('issued'), number('life'), number('until'), number('fence'), number('rejected'), number('at')
-- An empty value is one that was cut off: it cannot be decrypted, and is not the absence of a token.
local stored, hashId, ended = h.token == '' and '?' or h.token or '', h.hashId or '', text(number('ended'))

-- Not in the pause after a failure, when nobody replaces the token. The generation is compared here and not by
-- the caller: a rejection that comes late costs nothing.
local function reject()
  if kind == 'rejected' and beyond == gen and gen > rejected then redis.call('HSET', KEYS[1], 'rejected', text(gen)) end
end

if isUsable() and gen > beyond then return { 'T', text(now), hashId, ended, text(gen), text(issued), text(life), stored } end
if owner == '' then return { 'N', text(now), hashId, ended } end

-- Nor does a lease or a pause from the future make anybody wait: it would last for as long as the clock was set back.
if number('since') > now then held = 0 end
-- The data was lost, perhaps in the middle of a fetch, whose refresh token is used up: as long as a lease lasts, nobody
-- leads. The commit of who led then is taken.
if ARGV[7] == '1' and beyond > 0 and hashId == '' and number('until') == 0 then
  held = now + lease
  redis.call('HSET', KEYS[1], 'since', text(now), 'until', text(held))
  redis.call('PEXPIRE', KEYS[1], 3600000)
end
-- A leader that has not given its lease back may live, and hold the refresh token that came for the stored one: Redis
-- was out of its reach. It gets the time to connect again and to store it, once.
if ARGV[7] == '1' and stored ~= '' and h.owner and h.owner ~= owner and held <= now and number('extended') ~= fence then
  held = now + math.min(lease, ${String(RECONNECT)})
  redis.call('HSET', KEYS[1], 'since', text(now), 'until', text(held), 'extended', text(fence))
end
local mine = h.owner == owner and held > now
if held > now and not mine then
  reject()
  return { 'W', text(now), hashId, ended, text(held - now) }
end

-- The same owner asks again because the reply was lost: the same fence, so it still has one fetch only.
if not mine then
  local paused = number('paused')
  local retry = paused > now and 0 or math.min(number('retry'), paused + ${String(MAX_RETRY_AFTER)})
  if longest then retry = math.min(retry, paused + longest) end
  if retry > now then return { 'B', text(now), hashId, ended, text(retry - now), h.failure or '' } end
  if life > 0 then cooldown = math.min(cooldown, life / 3) end
  if kind ~= '' and gen > 0 and beyond > 0 and at <= now and at + cooldown > now then
    reject()
    return { 'B', text(now), hashId, ended, text(at + cooldown - now), '' }
  end

  -- Short tokens have short leases, or a leader that dies costs a life. But no shorter than fetches take, and longer
  -- after each failure, which may have been the lease's own doing.
  if life > 0 then
    lease = math.min(lease, math.max(life / 3 * 2 ^ math.min(number('failures'), 20), number('took') * 3, 250))
  end
  -- In ms since 1970 at least, and above what the fleet knew, should the data have been lost. What is fetched under this
  -- fence has it as its generation, so that the leader can encrypt the generation together with the token.
  fence = math.max(fence + 1, gen + 1, beyond + 1, now)
  held = now + math.floor(lease)
  -- Named after the owner that leads first: no other owner has its name.
  if hashId == '' then hashId = owner end
  redis.call('HSET', KEYS[1], 'owner', owner, 'since', text(now), 'until', text(held), 'fence', text(fence), 'hashId', hashId)
  if redis.call('PTTL', KEYS[1]) < 3600000 then redis.call('PEXPIRE', KEYS[1], 3600000) end
end
reject()
return { 'L', text(now), hashId, ended, text(fence), text(held - now), text(number('failures')), text(gen), text(issued), text(life), stored }
`;
