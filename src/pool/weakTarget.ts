/** What is held weakly, while it is there. */
export type WeakTarget<T extends object> = Pick<WeakRef<T>, 'deref'>;

/** Held strongly where the platform has no WeakRef, such as old React Native. */
export const weakTarget = <T extends object>(target: T): WeakTarget<T> =>
  typeof WeakRef === 'function' ? new WeakRef(target) : { deref: () => target };

/** A value for each id, which lives as long as somebody else holds it. */
export function createWeakValues<T extends object>(make: () => T) {
  const values = new Map<string, WeakTarget<T>>();
  const find = (id: string): T | undefined => values.get(id)?.deref();
  const forget = (id: string): void => {
    if (!find(id)) values.delete(id);
  };
  const collected = typeof FinalizationRegistry === 'function' ? new FinalizationRegistry(forget) : undefined;
  return {
    find,
    /** The value of an id, which is made if there is none. */
    of: (id: string): T => {
      const found = find(id);
      if (found) return found;
      const made = make();
      values.set(id, weakTarget(made));
      collected?.register(made, id);
      return made;
    },
  };
}
