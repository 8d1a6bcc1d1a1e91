export { connectWithToken } from './connectWithToken.js';
export type { Connect } from './connection.js';
export type { ConnectOptions, ReconnectOptions } from './options.js';
