import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../run.mjs';

const LIMIT = 120_000;

/** The tests of the guide that are written for Jest, changed as the guide says for Vitest. */
function guidesTests() {
  const guide = readFileSync(join(root, 'docs/testing.md'), 'utf8');
  const recipe = /configure\((\{\s*assertDeepEqual: .*?\})\);/s.exec(guide)?.[1];
  if (recipe === undefined) throw new Error('docs/testing.md has no recipe for Vitest');
  return [...guide.matchAll(/^```ts\n(.*?)^```/gms)]
    .map(([, code]) => code)
    .filter((code) => !code.includes("'node:test'"))
    .map((code) =>
      code
        .replace(
          "import { marbles } from 'rxjs-marbles/jest';",
          `import { configure } from 'rxjs-marbles';\nconst { marbles } = configure(${recipe});`,
        )
        .replaceAll('jest.', 'vi.'),
    );
}

/** Runs the guide to the kit in the user's project, by the Vitest that was installed in `home`. Returns what passed. */
export function checkGuideInVitest(folder, home) {
  symlinkSync(join(home, 'node_modules/vitest'), join(folder, 'node_modules/vitest'), 'junction');
  const tests = guidesTests();
  mkdirSync(join(folder, 'guide'));
  tests.forEach((code, index) => {
    writeFileSync(join(folder, `guide/${index}.test.ts`), code);
  });
  const { status, stdout, stderr } = spawnSync(
    join(home, 'node_modules/.bin/vitest'),
    ['run', '--globals', '--root', folder, '--reporter', 'json', 'guide/'],
    { cwd: folder, encoding: 'utf8', timeout: LIMIT },
  );
  const report = stdout.startsWith('{') ? JSON.parse(stdout) : undefined;
  const expected = tests.join('').match(/^test\(/gm).length;
  // A store's checks are tests, too.
  if (status !== 0 || !(report?.numPassedTests >= expected))
    throw new Error(
      `the guide has ${expected} tests, of which ${report?.numPassedTests ?? 'none'} passed\n${stdout}${stderr}`,
    );
  return `${expected} tests of docs/testing.md`;
}
