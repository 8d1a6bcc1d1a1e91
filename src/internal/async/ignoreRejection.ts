/** Protects the process from the rejections of promises that nobody awaits. */

/**
 * Marks a promise that is not awaited as handled, since its rejection would end a Node process.
 *
 * @returns whether the value is a promise
 */
export function ignoreRejection(value: unknown): boolean {
  const { then } = (value ?? {}) as Partial<PromiseLike<unknown>>;
  if (typeof then !== 'function') return false;
  then.call(value as PromiseLike<unknown>, undefined, () => undefined);
  return true;
}
