export type { TabTokenStoreOptions } from './options.js';
export { tabTokenStore, type TabTokenStore } from './tabTokenStore.js';
