/** Makes the errors of all platforms' fetch alike, and free of secrets. */
import { reasonOf } from '../internal/onAbort.js';
import { platformError } from './transport.js';

/**
 * What every platform should say: the abort's own reason, a TypeError for a network that failed, and no secret: Node,
 * Firefox and Safari quote the value of a header that HTTP does not allow.
 */
export function uniformError(error: unknown, signal?: AbortSignal | null): unknown {
  if (signal?.aborted) return reasonOf(signal);
  const { name, message = '' } = (error ?? {}) as Partial<Error>;
  return name === 'TypeError' && /(invalid|legal HTTP) header (name|value)|has invalid value/i.test(message)
    ? new TypeError('a header has a name or value that HTTP does not allow')
    : platformError(error);
}
