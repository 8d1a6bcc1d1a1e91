/** The entry `rx-fresh-token/otel`: metrics and diagnostics channels for token streams. */
export { observeToken, type ObserveTokenOptions } from './observeToken.js';
export { publishToken, type PublishTokenOptions } from './publishToken.js';
