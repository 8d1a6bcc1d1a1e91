/** The entry `rx-fresh-token/axios`: an axios instance whose requests carry the token. */
export { attachToken, type AttachTokenOptions } from './attachToken.js';
export { withoutToken } from './withoutToken.js';
