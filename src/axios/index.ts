export { attachToken, type AttachTokenOptions } from './attachToken.js';
export { withoutToken } from './withoutToken.js';
