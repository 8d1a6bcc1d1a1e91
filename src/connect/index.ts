export { connectWithToken } from './connectWithToken.js';
export type { ServerSentEvent } from './eventParser.js';
export { eventStream, type EventStreamOptions } from './eventStream.js';
export type { Connect, ConnectOptions, ReconnectOptions } from './options.js';
