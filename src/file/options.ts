/** The options of `fileTokenStore`: their public type, their checks and their defaults. */
import { numbersIn, requireFunctions, requireObject } from '../internal/values/validate.js';
import type { TokenStreamOptions } from '../token/types.js';

export interface FileTokenStoreOptions {
  /**
   * After this many ms without an update of the lock, its holder counts as dead. This is needed if the system cannot
   * tell whether the process still runs: it is in another container, it ran before a restart of the machine, or it is
   * stopped. A process that was killed is noticed at once. Infinity: the others wait for such a process. >= 1000, or
   * Infinity. Default 10 000.
   */
  staleAfter?: number | undefined;
  /**
   * The same function as the stream's option `lifetime`, if you use that: the lifetime of a token in ms, from its
   * response. Otherwise other processes could get an expired token that has no `expires_in`. If it returns `undefined`,
   * or by default, the response counts.
   */
  lifetime?: TokenStreamOptions['lifetime'];
}

export type FileStoreSettings = ReturnType<typeof settingsOf>;

/** The options with their defaults. @throws TypeError that names an option out of range */
export function settingsOf(options: FileTokenStoreOptions = {}) {
  requireObject(options);
  const { lifetime, ...numbers } = options;
  const { staleAfter } = numbersIn(numbers, { staleAfter: [1000, Infinity, 10_000] });
  requireFunctions({ lifetime });
  return { staleAfter, lifetime };
}
