import type { InternalAxiosRequestConfig } from 'axios';
import { fieldsOf } from '../internal/answers.js';

/**
 * What axios hands out quotes the request, header and all, and is often logged. Its config becomes the caller's own, which
 * never had the token; the platform's request object stays at hand, behind a getter that nothing prints.
 */
export function conceal<T>(outcome: T, config: InternalAxiosRequestConfig): T {
  const { response } = fieldsOf(outcome);
  for (const carrier of [outcome, response]) {
    if (typeof carrier !== 'object' || carrier === null || !('config' in carrier)) continue;
    const { request } = carrier as { request?: unknown };
    Reflect.set(carrier, 'config', config);
    if (request !== undefined) Reflect.defineProperty(carrier, 'request', { get: () => request, enumerable: false, configurable: true });
  }
  return outcome;
}
