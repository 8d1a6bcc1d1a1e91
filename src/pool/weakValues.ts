/** A map that keeps none of its values alive. */

/** Held strongly where the platform has no WeakRef, such as old React Native. */
const weakly = <V extends object>(value: V): Pick<WeakRef<V>, 'deref'> =>
  typeof WeakRef === 'function' ? new WeakRef(value) : { deref: () => value };

export function createWeakValues<V extends object>() {
  const values = new Map<string, ReturnType<typeof weakly<V>>>();
  const get = (name: string) => values.get(name)?.deref();
  const forget = (name: string): void => {
    if (get(name) === undefined) values.delete(name);
  };
  const collected = typeof FinalizationRegistry === 'function' ? new FinalizationRegistry(forget) : undefined;
  return {
    get,
    set: (name: string, value: V): void => {
      if (get(name) === value) return;
      values.set(name, weakly(value));
      collected?.register(value, name);
    },
    delete: (name: string): void => {
      values.delete(name);
    },
  };
}
