/** The options of `tabTokenStore`: their public type, their checks and their defaults. */
import { FINITE, numbersIn, requireFunctions, requireObject, requireText } from '../internal/values/validate.js';
import type { TokenStreamOptions } from '../token/types.js';

export interface TabTokenStoreOptions {
  /** Names the token that the tabs share: one name for each client, user and scope. Not empty. */
  name: string;
  /**
   * Before a tab fetches, it asks the other tabs for a token, and waits this many ms for an answer. Finite, >= 0.
   * Default 40.
   */
  askTimeout?: number | undefined;
  /**
   * A tab waits at most this many ms for the lock. Then it fetches without the lock, because the browser may have
   * frozen the tab that holds it. A tab that is not frozen releases the lock 6 s after the stream's `fetchTimeout` at
   * the latest: give more than that. >= 0, or Infinity. Default 20 000.
   */
  lockTimeout?: number | undefined;
  /**
   * The same function as the stream's option `lifetime`, if you use that: the lifetime of a token in ms, from its
   * response. Otherwise other tabs could get an expired token that has no `expires_in`. If it returns `undefined`, or
   * by default, the response counts.
   */
  lifetime?: TokenStreamOptions['lifetime'];
}

export type TabSettings = ReturnType<typeof settingsOf>;

/** The options with their defaults. @throws TypeError that names an option out of range */
export function settingsOf(options: TabTokenStoreOptions) {
  requireObject(options);
  const { name, lifetime, ...numbers } = options;
  requireText('name', name);
  requireFunctions({ lifetime });
  return { name, lifetime, ...numbersIn(numbers, { askTimeout: [0, FINITE, 40], lockTimeout: [0, Infinity, 20_000] }) };
}
