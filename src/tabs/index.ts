export { tabTokenStore, type TabTokenStore, type TabTokenStoreOptions } from './tabTokenStore.js';
