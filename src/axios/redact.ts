import type { InternalAxiosRequestConfig } from 'axios';
import { fieldsOf } from '../internal/answers.js';
import { isStream } from '../internal/isStream.js';

/**
 * What axios hands out quotes the request, header and all, and is often logged. Its config becomes the caller's own,
 * which never had the token; the platform's request object stays at hand, behind a getter that nothing prints. So does
 * all that leads to it from a streamed answer of Node's.
 */
export function redact<T>(outcome: T, config: InternalAxiosRequestConfig): T {
  const { response } = fieldsOf(outcome);
  for (const carrier of [outcome, response]) {
    if (typeof carrier !== 'object' || carrier === null || !('config' in carrier)) continue;
    Reflect.set(carrier, 'config', config);
    hide(carrier, 'request');
    const { data } = carrier as { data?: unknown };
    if (config.responseType === 'stream' && typeof data === 'object' && data !== null)
      for (const member of REQUEST_MEMBERS) hide(data, member);
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

/**
 * What of the caller's config leads to requests, with their headers: agents know all that they carry, and a stream
 * knows where it is piped to. They print as their name.
 */
export function hideLinks(config: InternalAxiosRequestConfig): void {
  for (const name of ['httpAgent', 'httpsAgent', 'data'] as const) {
    const value: unknown = config[name];
    if (typeof value !== 'object' || value === null || (name === 'data' && !isStream(value))) continue;
    for (const key of ['toJSON', Symbol.for('nodejs.util.inspect.custom')])
      Reflect.defineProperty(value, key, { value: () => `[${name}]`, configurable: true });
  }
}
