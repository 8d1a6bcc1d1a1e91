/** The entry `rx-fresh-token/proxy`: an HTTP proxy that adds the token for programs in other languages. */
export { createTokenProxy, type TokenProxy } from './createTokenProxy.js';
export { startTokenProxy, type RunningTokenProxy, type StartTokenProxyOptions } from './startTokenProxy.js';
export type { ProxyLogEntry, TokenProxyOptions } from './options.js';
