/** Errors after which another attempt does not help: a mistake in a source or an option, a redirect, an empty answer. */
import { InvalidTokenResponseError } from '../errors.js';

const marked = /* @__PURE__ */ new WeakSet();

export const isMarkedPermanent = (failure: unknown): boolean => marked.has(failure as object);

export function permanentError(message: string, options?: ErrorOptions): InvalidTokenResponseError {
  return markPermanent(new InvalidTokenResponseError(message, options));
}

export function markPermanent<T extends Error>(error: T): T {
  marked.add(error);
  return error;
}

/** What a function among the options returns. */
export function callOption<T, R>(name: string, option: (given: T) => R, given: T): R {
  try {
    return option(given);
  } catch (cause) {
    throw permanentError(`option "${name}" threw an error`, { cause });
  }
}

/** What the option `random` returns, as a number from 0 to 1. */
export const randomShare = (random: () => number): number =>
  Math.min(1, Math.max(0, callOption('random', random, undefined) || 0));
