/** The Lua script that ends the session for all processes. */
import { PRELUDE } from './scriptPrelude.js';

/**
 * Ends the session: deletes the token, the failure and the lease. The fence grows, so that the commit of a leader that
 * is still fetching is refused; the hash stays, so that those who were not connected find out.
 *
 * KEYS[1] the hash. ARGV: generation to get beyond, how long to keep the hash, channel, the id of this sign-out, the
 * generation of the last one before it ('' unknown).
 * Answers: E now hashId ended, `ended` being the generation of this sign-out; or of the last one, and nothing is done,
 * for the same id, should the reply have been lost, and for one that comes late: others may have signed in since.
 */
export const SIGN_OUT = `${PRELUDE}
-- No hash: a life of 0 deletes it.
if redis.pcall('HMGET', KEYS[1], 'gen').err then redis.call('PEXPIRE', KEYS[1], 0) end
read('gen', 'fence', 'hashId', 'ended', 'endedBy')
local hashId = h.hashId or ARGV[4]
if h.endedBy == ARGV[4] or number('ended') > (tonumber(ARGV[5]) or math.huge) then
  return { 'E', text(now), hashId, text(number('ended')) }
end
local ended = math.max(number('gen') + 1, number('fence') + 1, tonumber(ARGV[1]) + 1, now)
redis.call('HDEL', KEYS[1], 'token', 'issued', 'life', 'at', 'took', 'rejected', 'committed', 'owner', 'since', 'until', 'paused', 'retry', 'failure', 'failures')
redis.call('HSET', KEYS[1], 'gen', text(ended), 'fence', text(ended), 'ended', text(ended), 'endedBy', ARGV[4], 'hashId', hashId)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PUBLISH', ARGV[3], table.concat({ 'E', text(now), hashId }, '\\n'))
return { 'E', text(now), hashId, text(ended) }
`;
