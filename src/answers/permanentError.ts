/** Marks errors as permanent, so that the stream makes no other attempt. */
import { InvalidTokenResponseError } from '../errors.js';

const marked = /* @__PURE__ */ new WeakSet();

export const isMarkedPermanent = (failure: unknown): boolean => marked.has(failure as object);

/** An error after which another attempt does not help: a mistake in a source or an option, a redirect, no body. */
export function permanentError(message: string, options?: ErrorOptions): InvalidTokenResponseError {
  return markPermanent(new InvalidTokenResponseError(message, options));
}

/** Makes an error count as permanent, whatever it says. */
export function markPermanent<T extends Error>(error: T): T {
  marked.add(error);
  return error;
}
