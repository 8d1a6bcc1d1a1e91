/** The Lua script that ends a lease without a token, and makes all processes pause after a failure. */
import { PRELUDE } from './scriptPrelude.js';

/**
 * Gives the lease back. With a pause it says that the fetch failed, and that no process is to try before. Then a token
 * that was rejected is handed out again: nobody replaces it now, and other servers may accept it. A pause of 0 says
 * nothing about the token endpoint: the process was closed, and another one replaces the token.
 *
 * KEYS[1] the hash. ARGV: fence, pause, failure, channel. Answers: O now, or S now when this fence no longer holds
 * the lease. The answer is not read.
 */
export const FAIL = `${PRELUDE}
local fence, pause = tonumber(ARGV[1]), tonumber(ARGV[2])
read('fence', 'failures', 'owner')
if fence ~= number('fence') or not h.owner then return { 'S', text(now) } end
redis.call('HDEL', KEYS[1], 'owner', 'since', 'until')
if pause > 0 then
  redis.call('HDEL', KEYS[1], 'rejected')
  redis.call('HSET', KEYS[1], 'paused', text(now), 'retry', text(now + pause), 'failure', ARGV[3], 'failures', text(number('failures') + 1))
  if redis.call('PTTL', KEYS[1]) < pause + 3600000 then redis.call('PEXPIRE', KEYS[1], text(pause + 3600000)) end
end
redis.call('PUBLISH', ARGV[4], 'F\\n' .. text(now))
return { 'O', text(now) }
`;
