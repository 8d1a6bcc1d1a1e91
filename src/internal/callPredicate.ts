/** Asks a predicate of the user's: an option of this name. A promise would count as true whatever it resolves to. */
export function callPredicate(predicate: (result: never) => unknown, result: unknown, option: string): boolean {
  const answer = predicate(result as never);
  const { then } = (answer ?? {}) as Partial<PromiseLike<unknown>>;
  if (typeof then === 'function') {
    // It is not awaited, so a rejection of it would end a Node process.
    then.call(answer, undefined, () => undefined);
    throw new TypeError(`option "${option}" returned a promise: it must return a boolean`);
  }
  return Boolean(answer);
}
