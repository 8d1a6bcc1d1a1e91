import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as ts from 'typescript';

const root = resolve(__dirname, '../..');
const guide = readFileSync(join(root, 'docs/testing.md'), 'utf8');
const blocks = [...guide.matchAll(/^```(\w*)\n(.*?)^```/gms)].map(([, language, code]) => ({ language, code: code ?? '' }));

const forNode = blocks.filter(({ code }) => code.includes(`'node:test'`));
const forJest = blocks.filter((block) => !forNode.includes(block));

const titleOf = (code: string): string => /^test\('(.*?)'/m.exec(code)?.[1] ?? '';

const compiled = (code: string): string =>
  ts.transpileModule(code, { compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true } }).outputText;

/** Every block of the guide is a test file of its own; here each runs as such, in this very Jest. */
describe('the guide', () => {
  it('should have no code but tests', () => {
    expect(blocks.map(({ language }) => language)).toEqual(blocks.map(() => 'ts'));
    for (const { code } of blocks) expect(code).toMatch(/^test\('/m);
    expect([forJest.length, forNode.length]).toEqual([9, 2]);
  });

  describe.each(forJest.map(({ code }) => ({ code, title: titleOf(code) })))('$title', ({ code }) => {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- running a document's code is this test's purpose
    new Function('require', 'exports', 'jest', compiled(code))(require, {}, jest);
  });

  it.each(forNode.map(({ code }) => ({ code, title: titleOf(code) })))('should have a test for node:test that passes: $title', ({ code }) => {
    const folder = mkdtempSync(join(__dirname, 'guide-'));
    try {
      const file = join(folder, 'guide.test.mts');
      writeFileSync(file, code);
      const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
      const { status, stdout } = spawnSync(process.execPath, ['--import', 'tsx', '--test', '--test-reporter', 'tap', file], { cwd: root, env, encoding: 'utf8' });
      expect(stdout).toMatch(/^# pass 1$/m);
      expect(status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 60_000);
});
