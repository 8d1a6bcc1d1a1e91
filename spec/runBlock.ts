import * as ts from 'typescript';

/** Runs a block of TypeScript of a page, to which these names are given. Returns what it returns. */
export function runBlock(code: string, given: Readonly<Record<string, unknown>>): unknown {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: {
      module: ts.ModuleKind.CommonJS,
      target: ts.ScriptTarget.ES2022,
      esModuleInterop: true,
      experimentalDecorators: true,
    },
  });
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- to run a page's code is what this is for
  const block = new Function(...Object.keys(given), outputText) as (...values: unknown[]) => unknown;
  return block(...Object.values(given));
}
