/** Calls the user's predicates, and refuses those that are async by mistake. */
import { ignoreRejection } from '../async/ignoreRejection.js';

/** Asks a predicate of the user's: an option of this name. A promise would count as true whatever it resolves to. */
export function callPredicate(predicate: (result: never) => unknown, result: unknown, option: string): boolean {
  const answer = predicate(result as never);
  if (ignoreRejection(answer)) throw new TypeError(`option "${option}" returned a promise: it must return a boolean`);
  return Boolean(answer);
}
