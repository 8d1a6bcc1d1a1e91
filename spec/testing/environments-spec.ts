import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runInNewContext } from 'node:vm';
import * as ts from 'typescript';

const root = resolve(__dirname, '../..');

/** The same test for every runner that is not Jest: a pipeline in marbles. */
const code = `
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { TestScheduler } from 'rxjs/testing';
import { createTokenStream, withToken } from 'rx-fresh-token';
import { fakeTokenSource, scriptedApi, startTokenServer, tokenMarbles } from 'rx-fresh-token/testing';

test('in virtual time', () => {
  new TestScheduler((actual, expected) => assert.deepEqual(actual, expected)).run(({ expectObservable }) => {
    const source = fakeTokenSource({ latency: 200 });
    const api = scriptedApi({ tokens: source, delay: 50 });
    const token$ = createTokenStream(source, { jitter: 0 });
    expectObservable(tokenMarbles(token$), '^ 60s !').toBe('200ms a 24999ms b 24999ms c');
    expectObservable(withToken(token$, (token) => api.send(token))).toBe('250ms (a|)');
  });
});

test('against a server', async () => {
  const server = await startTokenServer();
  const response = await fetch(server.tokenUrl, { method: 'POST' });
  assert.equal((await response.json()).access_token, 'token-1');
  await server.close();
});
`;

describe('the kit', () => {
  let folder: string;
  beforeAll(() => {
    // Within the project, so that its tsconfig says where the package is.
    folder = mkdtempSync(join(__dirname, 'environments-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['an ES module', 'mjs', code],
    [
      'CommonJS',
      'cjs',
      ts.transpileModule(code, {
        compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true },
      }).outputText,
    ],
  ])(
    'should work with node:test, as %s',
    (_kind, extension, text) => {
      const file = join(folder, `kit.test.${extension}`);
      writeFileSync(file, text);
      const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
      const { stdout, status } = spawnSync(
        process.execPath,
        ['--import', 'tsx', '--test', '--test-reporter', 'tap', file],
        { cwd: root, env, encoding: 'utf8' },
      );
      expect({
        status,
        passed: /^# pass (\d+)$/m.exec(stdout)?.[1],
        failed: /^# fail (\d+)$/m.exec(stdout)?.[1],
      }).toEqual({ status: 0, passed: '2', failed: '0' });
    },
    60_000,
  );

  /** In a process of its own, because esbuild does not work in Jest's sandbox. */
  const bundle = (contents: string, options: object = {}) => {
    const script = `import { buildSync } from 'esbuild'; process.stdout.write(buildSync(${JSON.stringify({
      stdin: { contents, resolveDir: root },
      bundle: true,
      write: false,
      platform: 'browser',
      format: 'iife',
      globalName: 'kit',
      logLevel: 'error',
      ...options,
    })}).outputFiles[0].text)`;
    return execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  };

  it('should load and run in a browser, which has no node:http', async () => {
    // For browsers esbuild resolves no node: specifier, neither imported nor in an import(): this would throw.
    const script = bundle(`export { fakeTokenSource, startTokenServer } from './src/testing/index.ts';`, {
      treeShaking: false,
    });
    const { kit } = runInNewContext(`${script};({ kit })`, { setTimeout, AbortController, URL }) as {
      kit: typeof import('rx-fresh-token/testing');
    };
    const seen: unknown[] = [];
    kit
      .fakeTokenSource()({ reason: 'initial', attempt: 1, previous: null, signal: new AbortController().signal })
      .subscribe(({ access_token }) => seen.push(access_token));
    expect(seen).toEqual(['a']);
    await expect(kit.startTokenServer()).rejects.toMatchObject({
      message: expect.stringContaining('startTokenServer needs Node') as string,
    });
  });

  it('should be refused by that very bundler, were node:http imported', () => {
    expect(() => bundle(`import 'node:http';`)).toThrow('Could not resolve "node:http"');
    expect(() => bundle(`export const load = () => import('node:http');`)).toThrow('Could not resolve "node:http"');
  });

  it('should need rxjs, and nothing else', () => {
    const outputs = bundle(`export * from './src/testing/index.ts';`, { external: ['rxjs'], format: 'esm' });
    const imported = [...outputs.matchAll(/^(?:import|} from|.*\bfrom) "([^"]+)";$/gm)].map(([, name]) => name);
    expect([...new Set(imported)]).toEqual(['rxjs']);
    expect(outputs).not.toMatch(/\brequire\(/);
  });
});
