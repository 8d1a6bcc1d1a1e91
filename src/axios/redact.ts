/** Removes the token from the errors and responses of axios, because applications log them. */
import type { InternalAxiosRequestConfig } from 'axios';
import { INSPECT } from '../internal/platform/inspect.js';
import { fieldsOf } from '../internal/values/fieldsOf.js';
import { builtinModule } from '../internal/platform/builtinModule.js';
import { isStream } from '../internal/values/isStream.js';

/**
 * What axios hands out quotes the request, header and all, and is often logged. Its config becomes the caller's own,
 * which never had the token; the platform's request object stays at hand, behind a getter that nothing prints. So does
 * all that leads to it from a streamed answer of Node's.
 */
export function redact<T>(outcome: T, config: InternalAxiosRequestConfig, sent: InternalAxiosRequestConfig): T {
  // Errors that come later, while a streamed answer is read, quote it.
  if (config.responseType === 'stream') sent.headers = config.headers;
  const { response, cause } = fieldsOf(outcome);
  for (const carrier of [outcome, response, cause]) {
    if (typeof carrier !== 'object' || carrier === null || !('config' in carrier)) continue;
    Reflect.set(carrier, 'config', config);
    const { request, data } = carrier as { request?: unknown; data?: unknown };
    if (typeof request === 'object' && request !== null) printAs('request', request);
    hide(carrier, 'request');
    if (config.responseType !== 'stream' || typeof data !== 'object' || data === null) continue;
    for (const member of REQUEST_MEMBERS) hide(data, member);
    const { errorMonitor } = builtinModule<{ errorMonitor: symbol }>('node:events') ?? {};
    if (errorMonitor)
      (data as Partial<NodeJS.EventEmitter>).on?.(errorMonitor, (error: unknown) => redact(error, config, sent));
  }
  return outcome;
}

/** Node's own answer leads to the request that it answers, by each of these. */
const REQUEST_MEMBERS = ['req', 'socket', 'client'];

/** Moves a property behind accessors: it works as before, and does not print. */
function hide(object: object, name: string): void {
  let value: unknown = Object.getOwnPropertyDescriptor(object, name)?.value;
  if (value === undefined) return;
  const set = (next: unknown) => void (value = next);
  Reflect.defineProperty(object, name, { get: () => value, set, enumerable: false, configurable: true });
}

/** Agents and a body stream lead to other requests and their headers. They print as their name. */
export function hideLinks(config: InternalAxiosRequestConfig): void {
  for (const name of ['httpAgent', 'httpsAgent', 'data'] as const) {
    const value: unknown = config[name];
    if (typeof value !== 'object' || value === null || (name === 'data' && !isStream(value))) continue;
    printAs(name, value);
  }
}

function printAs(name: string, object: object): void {
  for (const key of ['toJSON', INSPECT])
    Reflect.defineProperty(object, key, { value: () => `[${name}]`, configurable: true });
}
