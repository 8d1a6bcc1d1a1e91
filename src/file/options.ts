import { numbersIn, requireFunctions } from '../internal/validate.js';
import type { TokenStreamOptions } from '../token/types.js';

export interface FileTokenStoreOptions {
  /**
   * After this many ms without a sign of life, a process that holds the lock counts as gone. It matters where the
   * system cannot say whether that process lives: one in another container, one from before a restart of the machine,
   * one that is stopped. Others are known to be gone at once. Infinity: no process takes the lock from them. >= 1000,
   * or Infinity. Default 10 000.
   */
  staleAfter?: number | undefined;
  /**
   * The stream's option of that name, where it has one: how long a token lives, in ms, whose response does not say so.
   * Without it other processes would be given such a token when it is over. `undefined`: what the response says.
   * Default: that, always.
   */
  lifetime?: TokenStreamOptions['lifetime'];
}

/** The options with their defaults. @throws TypeError that names an option out of range */
export function checkedOptions(options: FileTokenStoreOptions = {}) {
  const { staleAfter } = numbersIn(options, { staleAfter: [1000, Infinity, 10_000] });
  const { lifetime } = options;
  requireFunctions({ lifetime });
  return { staleAfter, lifetime };
}
