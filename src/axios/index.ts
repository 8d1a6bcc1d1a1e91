export { attachToken, type AttachTokenOptions } from './attachToken.js';
