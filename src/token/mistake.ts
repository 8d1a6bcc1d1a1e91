/** Failures that another attempt does not mend: mistakes in a source or an option, redirects, empty answers. */
import { InvalidTokenResponseError } from '../errors.js';

const mistakes = /* @__PURE__ */ new WeakSet();

export const isMistake = (failure: unknown): boolean => mistakes.has(failure as object);

/** An error of whoever wrote the source or an option. */
export function mistake(message: string, options?: ErrorOptions): InvalidTokenResponseError {
  return asMistake(new InvalidTokenResponseError(message, options));
}

export function asMistake<T extends Error>(error: T): T {
  mistakes.add(error);
  return error;
}

/** What a function among the options returns. If it throws, another attempt does not help. */
export function answerOf<T, R>(name: string, option: (given: T) => R, given: T): R {
  try {
    return option(given);
  } catch (cause) {
    throw mistake(`option "${name}" threw an error`, { cause });
  }
}

/** What the option `random` returns, as a number from 0 to 1. */
export const drawn = (random: () => number): number =>
  Math.min(1, Math.max(0, answerOf('random', random, undefined) || 0));
