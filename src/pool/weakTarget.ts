/** Weak references, which let a pool forget streams that nobody holds. */

/** What is held weakly, while it is there. */
export type WeakTarget<T extends object> = Pick<WeakRef<T>, 'deref'>;

/** Held strongly where the platform has no WeakRef, such as old React Native. */
export const weakTarget = <T extends object>(target: T): WeakTarget<T> =>
  typeof WeakRef === 'function' ? new WeakRef(target) : { deref: () => target };
