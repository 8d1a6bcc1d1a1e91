/** Node's files, asked for at run time, since bundlers for browsers refuse an import of `node:fs`. */
export function files(): typeof import('node:fs').promises {
  const found = (globalThis as { process?: Partial<NodeJS.Process> }).process?.getBuiltinModule?.('node:fs');
  if (!found) throw new Error('reading and writing files needs Node 20.16 or later');
  return found.promises;
}

export function checkPath(path: unknown): asserts path is string {
  if (typeof path !== 'string' || path === '')
    throw new TypeError(
      `"path" must be a string that is not empty, got ${path === '' ? 'an empty string' : typeof path}`,
    );
}
