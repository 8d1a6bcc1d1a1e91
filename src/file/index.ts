/** The entry `rx-fresh-token/file`: a store that shares one token between the processes of one machine. */
export { fileTokenStore } from './fileTokenStore.js';
export type { FileTokenStoreOptions } from './options.js';
