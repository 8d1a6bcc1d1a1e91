/** Marks errors as permanent, so that the stream makes no other attempt. */
import { InvalidTokenResponseError } from '../errors.js';
import { fieldsOf } from '../internal/values/fieldsOf.js';

const marked = /* @__PURE__ */ new WeakSet();

/**
 * Next.js marks its errors by a `digest`, such as `DYNAMIC_SERVER_USAGE` and `NEXT_REDIRECT`: a page must end with
 * them. The digest of an error that React sends from a server is a number.
 */
const DIGEST = /^[A-Z]{3}/;

/** Angular's NG0203: the source calls `inject`, which only the factory of a provider may do. */
const INJECT_OUTSIDE = -203;

export function isMarkedPermanent(failure: unknown): boolean {
  const { digest, code } = fieldsOf(failure);
  return marked.has(failure as object) || DIGEST.test(digest as string) || code === INJECT_OUTSIDE;
}

/** An error after which another attempt does not help: a mistake in a source or an option, a redirect, no body. */
export function permanentError(message: string, options?: ErrorOptions): InvalidTokenResponseError {
  return markPermanent(new InvalidTokenResponseError(message, options));
}

/** Makes an error count as permanent, whatever it says. */
export function markPermanent<T extends Error>(error: T): T {
  marked.add(error);
  return error;
}
