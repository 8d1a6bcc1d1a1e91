/** The entry `rx-fresh-token/tabs`: a store that shares one token between the tabs of a browser. */
export type { TabTokenStoreOptions } from './options.js';
export { tabTokenStore, type TabTokenStore } from './tabTokenStore.js';
