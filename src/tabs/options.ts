import { FINITE, numbersIn, requireFunctions, wrong } from '../internal/validate.js';
import type { TokenStreamOptions } from '../token/types.js';

export interface TabTokenStoreOptions {
  /** What the tabs that share a token have in common: one name for each client identity, user and scope. Not empty. */
  name: string;
  /** Before it fetches, a tab asks the others, and waits this many ms for their answer. Finite, >= 0. Default 40. */
  askTimeout?: number | undefined;
  /**
   * How many ms a tab waits for the lock, in all, before it fetches without it: a browser may freeze the tab that holds
   * it, in mid-fetch. More than the stream's `fetchTimeout`, after which a tab that is not frozen releases the lock. >=
   * 0, or Infinity. Default 15 000.
   */
  lockTimeout?: number | undefined;
  /**
   * The stream's option of that name, where it has one: how long a token lives, in ms, whose response does not say so.
   * Without it other tabs would be given such a token when it is over. `undefined`: what the response says. Default:
   * that, always.
   */
  lifetime?: TokenStreamOptions['lifetime'];
}

/** The options with their defaults. @throws TypeError that names an option out of range */
export function checkedOptions(options: TabTokenStoreOptions) {
  const { name, lifetime } = options;
  if (typeof name !== 'string' || name === '') throw wrong('name', name, 'a string that is not empty');
  requireFunctions({ lifetime });
  const { askTimeout, lockTimeout } = numbersIn(
    { askTimeout: options.askTimeout, lockTimeout: options.lockTimeout },
    { askTimeout: [0, FINITE, 40], lockTimeout: [0, Infinity, 15_000] },
  );
  return { name, lifetime, askTimeout, lockTimeout };
}
