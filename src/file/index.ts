export { fileTokenStore } from './fileTokenStore.js';
export type { FileTokenStoreOptions } from './options.js';
