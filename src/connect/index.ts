export { connectWithToken } from './connectWithToken.js';
export { eventStream, type EventStreamOptions, type ServerSentEvent } from './eventStream.js';
export type { Connect, ConnectOptions, ReconnectOptions } from './options.js';
