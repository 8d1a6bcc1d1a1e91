import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as ts from 'typescript';
import { initTestBed } from './support.js';

initTestBed();

const guide = readFileSync(resolve(__dirname, '../../docs/angular.md'), 'utf8');
const tests = [...guide.matchAll(/^```ts\n(.*?)^```/gms)]
  .map(([, code]) => code ?? '')
  .filter((code) => /^test\(/m.test(code));

it('should have one test in the guide', () => {
  expect(tests).toHaveLength(1);
});

describe("the guide's test", () => {
  const { outputText } = ts.transpileModule(tests[0] ?? '', {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, experimentalDecorators: true },
  });
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- running a document's code is this test's purpose
  new Function('require', 'exports', 'test', 'expect', outputText)(require, {}, test, expect);
});
