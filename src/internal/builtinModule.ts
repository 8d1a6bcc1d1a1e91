/** Loads modules of Node at run time, so that bundlers for browsers do not see them. */

interface Runtime {
  readonly process?: { getBuiltinModule?(id: string): unknown };
}

/**
 * A module of Node, or undefined elsewhere. Asked for at run time, since bundlers for browsers refuse the specifier
 * `node:…`, even in an `import()`.
 */
export function builtinModule<M>(id: string): M | undefined {
  try {
    return (globalThis as Runtime).process?.getBuiltinModule?.(id) as M | undefined;
  } catch {
    // In the Edge runtime of Next.js each function of `process` throws.
    return undefined;
  }
}
