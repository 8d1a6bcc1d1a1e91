/** Makes the errors of all platforms' fetch alike, and free of secrets. */
import { reasonOf } from '../internal/async/onAbort.js';
import { platformError } from './transport.js';

/**
 * What every platform should say: the abort's own reason, a TypeError for a network that failed, and no secret: Node,
 * Firefox and Safari quote the value of a header that HTTP does not allow.
 *
 * @param wasAborted whether the signal had aborted before the call: a TypeError of the call stays, as with fetch
 */
export function uniformError(error: unknown, signal?: AbortSignal | null, wasAborted = false): unknown {
  if (signal?.aborted && !(wasAborted && isTypeError(error))) return reasonOf(signal);
  return isTypeError(error) && /(invalid|legal HTTP) header (name|value)|has invalid value/i.test(error.message)
    ? new TypeError('a header has a name or value that HTTP does not allow')
    : platformError(error);
}

/** By its name: it may be of another realm. */
const isTypeError = (error: unknown): error is Error =>
  (error as Partial<Error> | null | undefined)?.name === 'TypeError';
