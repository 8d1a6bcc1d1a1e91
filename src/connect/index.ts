/** The entry `rx-fresh-token/connect`: long connections that are opened with the token, such as WebSockets. */
export { connectWithToken } from './connectWithToken.js';
export { eventStream, type EventStreamOptions, type ServerSentEvent } from './eventStream.js';
export type { Connect, ConnectOptions, ReconnectOptions } from './options.js';
