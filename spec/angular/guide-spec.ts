import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { runBlock } from '../runBlock.js';
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
  runBlock(tests[0] ?? '', { require, exports: {}, test, expect });
});
