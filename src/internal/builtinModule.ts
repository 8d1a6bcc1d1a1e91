interface Runtime {
  readonly process?: { getBuiltinModule?(id: string): unknown };
}

/**
 * A module of Node, or undefined elsewhere. Asked for at run time, since bundlers for browsers refuse the specifier
 * `node:…`, even in an `import()`.
 */
export const builtinModule = <M>(id: string): M | undefined =>
  (globalThis as Runtime).process?.getBuiltinModule?.(id) as M | undefined;
