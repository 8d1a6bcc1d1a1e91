export { observeToken, type ObserveTokenOptions } from './observeToken.js';
export { publishToken, type PublishTokenOptions } from './publishToken.js';
