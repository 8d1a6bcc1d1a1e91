/** Loads modules of Node at run time: bundlers for browsers refuse the specifier `node:…`, even in an `import()`. */

interface Runtime {
  readonly process?: { getBuiltinModule?(id: string): unknown };
}

/** undefined outside of Node. */
export function builtinModule<M>(id: string): M | undefined {
  try {
    return (globalThis as Runtime).process?.getBuiltinModule?.(id) as M | undefined;
  } catch {
    // In the Edge runtime of Next.js each function of `process` throws.
    return undefined;
  }
}
