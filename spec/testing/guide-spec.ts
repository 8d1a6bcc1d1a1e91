import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { configure } from 'rxjs-marbles';
import { runBlock } from '../runBlock.js';

const root = resolve(__dirname, '../..');
const guide = readFileSync(join(root, 'docs/testing.md'), 'utf8');
const blocks = [...guide.matchAll(/^```(\w*)\n(.*?)^```/gms)].map(([, language, code]) => ({
  language,
  code: code ?? '',
}));

const forNode = blocks.filter(({ code }) => code.includes(`'node:test'`));
const forJest = blocks.filter((block) => !forNode.includes(block));

const titleOf = (code: string): string => /^test\('(.*?)'/m.exec(code)?.[1] ?? '';

/** Every block of the guide is a test file of its own; here each runs as such, in this very Jest. */
describe('the guide', () => {
  it('should have no code but tests', () => {
    expect(blocks.map(({ language }) => language)).toEqual(blocks.map(() => 'ts'));
    for (const { code } of blocks) expect(code).toMatch(/^test(\.each)?\(/m);
    expect([forJest.length, forNode.length]).toEqual([10, 2]);
  });

  describe.each(forJest.map(({ code }) => ({ code, title: titleOf(code) })))('$title', ({ code }) => {
    runBlock(code, { require, exports: {}, jest, expect });
  });

  // What the guide says to do for Vitest, done here: rxjs-marbles' root knows no runner either.
  const recipe = /configure\((\{\s*assertDeepEqual: .*?\})\);/s.exec(guide)?.[1] ?? '';
  const ofRoot = (id: string): unknown =>
    id === 'rxjs-marbles/jest'
      ? configure(runBlock(`return ${recipe}`, { expect }) as Parameters<typeof configure>[0])
      : jest.requireActual(id);
  const marbled = forJest.filter(({ code }) => code.includes('rxjs-marbles/jest'));

  describe.each(marbled.map(({ code }) => ({ code, title: titleOf(code) })))(
    'by its recipe for Vitest: $title',
    ({ code }) => {
      runBlock(code, { require: ofRoot, exports: {}, jest, expect });
    },
  );

  it.each(forNode.map(({ code }) => ({ code, title: titleOf(code) })))(
    'should have a test for node:test that passes: $title',
    ({ code }) => {
      const folder = mkdtempSync(join(__dirname, 'guide-'));
      try {
        const file = join(folder, 'guide.test.mts');
        writeFileSync(file, code);
        const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
        const { status, stdout } = spawnSync(
          process.execPath,
          ['--import', 'tsx', '--test', '--test-reporter', 'tap', file],
          { cwd: root, env, encoding: 'utf8' },
        );
        expect(stdout).toMatch(/^# pass 1$/m);
        expect(status).toBe(0);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    60_000,
  );
});
