/** Calls the user's functions among the options, and makes what they throw a permanent error. */
import { permanentError } from '../../answers/permanentError.js';

/** What the function returns. If it throws, another attempt does not help. */
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
