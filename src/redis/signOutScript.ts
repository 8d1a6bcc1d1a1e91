/** The Lua script that ends the session for all processes. */
import { PRELUDE } from './scriptPrelude.js';

/**
 * Ends the session: deletes the token, the failure and the lease.
 *
 * KEYS[1] the hash. ARGV: generation to get beyond, channel, the id of this sign-out, the generation of the last one
 * before it ('' unknown).
 * Answers: E now hashId ended, `ended` being the generation of this sign-out; or of the last one, and nothing is done,
 * for the same id, should the reply have been lost, and for one that comes late: others may have signed in since.
 */
export const SIGN_OUT = `${PRELUDE}
-- No hash: a life of 0 deletes it.
if redis.pcall('HMGET', KEYS[1], 'gen').err then redis.call('PEXPIRE', KEYS[1], 0) end
read('gen', 'fence', 'hashId', 'ended', 'endedBy')
local hashId = h.hashId or ARGV[3]
if h.endedBy == ARGV[3] or number('ended') > (tonumber(ARGV[4]) or math.huge) then
  return { 'E', text(now), hashId, text(number('ended')) }
end
local ended = math.max(number('gen') + 1, number('fence') + 1, tonumber(ARGV[1]) + 1, now)
forget(ended, ended)
redis.call('HSET', KEYS[1], 'endedBy', ARGV[3], 'hashId', hashId)
redis.call('PUBLISH', ARGV[2], table.concat({ 'E', text(now), hashId }, '\\n'))
return { 'E', text(now), hashId, text(ended) }
`;
