export { createTokenProxy, type TokenProxy } from './createTokenProxy.js';
export { startTokenProxy, type RunningTokenProxy, type StartTokenProxyOptions } from './startTokenProxy.js';
export type { ProxyLogEntry, TokenProxyOptions } from './options.js';
