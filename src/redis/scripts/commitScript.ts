/** The Lua script that stores a fetched token, and refuses one that comes too late. */
import { PRELUDE } from './scriptPrelude.js';

/**
 * Stores the token that a leader fetched, unless someone else leads, or has stored a token or signed out since.
 *
 * KEYS[1] the hash. ARGV: fence, generation it replaces, age of the token when this was sent, when it was issued (by
 * Redis' clock as the leader knows it, never too late), life (-1 unknown), how long the fetch took, how long to keep
 * the hash, channel, owner, token. The fence becomes the token's generation.
 *
 * Answers: O now hashId ended generation, or S now hashId ended generation issued life token valid(1/0) when it is
 * refused: that is the token that is stored now, if there is one. `hashId` and `ended` as in the acquire script.
 */
export const COMMIT = `${PRELUDE}
local fence, beyond, age, issued, life = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local took, ttl, channel, owner, token = ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10]
read('gen', 'fence', 'committed', 'issued', 'life', 'token', 'rejected', 'at', 'hashId', 'ended', 'owner', 'since', 'until')
local gen, hashId, ended = number('gen'), h.hashId or owner, text(number('ended'))

-- Committed before, and the reply was lost.
if fence == number('committed') then return { 'O', text(now), hashId, ended, text(gen) } end
-- One who leads now stores soon. One who has led since, and has failed, leaves this token as the newest.
local isHeld = h.owner and number('since') <= now and number('until') > now
if fence <= gen or fence < number('fence') and isHeld then
  local valid = gen > beyond and isUsable()
  return { 'S', text(now), hashId, ended, text(gen), text(number('issued')), text(number('life')), h.token or '', valid and '1' or '0' }
end

-- Two estimates, both at or before the truth unless the clock was set meanwhile: the earlier one is safe in any case.
issued = math.min(issued, now - age)
redis.call('HSET', KEYS[1], 'gen', text(fence), 'token', token, 'issued', text(issued), 'life', text(life),
  'fence', text(math.max(fence, number('fence'))),
  'committed', text(fence), 'at', text(now), 'took', took, 'hashId', hashId)
redis.call('HDEL', KEYS[1], 'owner', 'since', 'until', 'paused', 'retry', 'failure', 'failures')
redis.call('PEXPIRE', KEYS[1], ttl)
-- Channels are common to all databases and know no key prefix of a client's: the hashId says which hash this is about.
-- Version 0.1.0 reads the owner.
redis.call('PUBLISH', channel, table.concat({ 'T', text(now), hashId, text(fence), text(issued), text(life), owner, token }, '\\n'))
return { 'O', text(now), hashId, ended, text(fence) }
`;
