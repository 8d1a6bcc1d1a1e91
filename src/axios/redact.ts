import type { InternalAxiosRequestConfig } from 'axios';
import { fieldsOf } from '../internal/answers.js';

/** Node's own answer leads to the request that it answers, by each of these. */
const REQUEST_MEMBERS = ['req', 'socket', 'client'];

/**
 * What axios hands out quotes the request, header and all, and is often logged. Its config becomes the caller's own, which
 * never had the token; the platform's request object stays at hand, behind a getter that nothing prints. So does all that
 * leads to it from a streamed answer of Node's.
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

/** Moves a property behind accessors: it works as before, and does not print. */
function hide(object: object, name: string): void {
  let value: unknown = Object.getOwnPropertyDescriptor(object, name)?.value;
  if (value === undefined) return;
  const set = (next: unknown) => void (value = next);
  Reflect.defineProperty(object, name, { get: () => value, set, enumerable: false, configurable: true });
}

/**
 * The caller's agents are part of the config, and lead to the requests that they carry, with their headers. They print as
 * their name.
 */
export function hideAgents(config: InternalAxiosRequestConfig): void {
  for (const name of ['httpAgent', 'httpsAgent'] as const) {
    const agent: unknown = config[name];
    if (typeof agent !== 'object' || agent === null) continue;
    for (const key of ['toJSON', Symbol.for('nodejs.util.inspect.custom')])
      Reflect.defineProperty(agent, key, { value: () => `[${name}]`, configurable: true });
  }
}
