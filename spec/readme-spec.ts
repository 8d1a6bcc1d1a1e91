import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as ts from 'typescript';

const root = resolve(__dirname, '..');
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const blocksOf = (page: string): string[] =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code ?? '');

describe('the documents', () => {
  it('should contain only code that compiles', () => {
    // Beside this file, so that imports resolve as in any spec.
    const folder = mkdtempSync(join(__dirname, 'readme-'));
    try {
      const files = pages.flatMap((page) =>
        blocksOf(page).map((code, index) => {
          const file = join(folder, `${page.replace(/\W/g, '_')}_${String(index)}.ts`);
          writeFileSync(file, `${code}\nexport {};\n`);
          return file;
        }),
      );
      expect(files.length).toBeGreaterThan(2);
      const { options } = ts.parseJsonConfigFileContent(
        ts.readConfigFile(join(root, 'tsconfig.json'), (file) => ts.sys.readFile(file)).config,
        ts.sys,
        root,
      );
      // As Nest's own projects are compiled: it injects into parameters of constructors.
      Object.assign(options, { experimentalDecorators: true, emitDecoratorMetadata: true });
      const problems = ts.getPreEmitDiagnostics(ts.createProgram(files, options));
      expect(
        problems.map(
          ({ file, messageText }) =>
            `${file?.fileName.split('/').pop() ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
        ),
      ).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 60_000);

  it('should open with a quick start of at most 15 lines that runs', async () => {
    const code = blocksOf('README.md')[0] ?? '';
    expect(code.trim().split('\n').length).toBeLessThanOrEqual(15);
    const printed: unknown[] = [];
    const sent: (string | null)[] = [];
    const native = globalThis.fetch;
    globalThis.fetch = (input, init) => {
      const url = input as string;
      sent.push(`${url} ${new Headers(init?.headers).get('authorization') ?? '-'}`);
      return Promise.resolve(
        Response.json(url.endsWith('/token') ? { access_token: 'T1', expires_in: 30 } : { id: 7 }),
      );
    };
    try {
      const { outputText } = ts.transpileModule(code, {
        compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
      });
      const library = await import('rx-fresh-token');
      // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- running a document's code is this test's purpose
      new Function('require', 'exports', 'console', outputText)(
        () => library,
        {},
        { log: (line: unknown) => printed.push(line), error: (line: unknown) => printed.push(line) },
      );
      await new Promise((done) => setTimeout(done, 20));
    } finally {
      globalThis.fetch = native;
    }
    expect(printed).toEqual(['refreshStarted', 'tokenChanged', 'order 7']);
    expect(sent).toEqual(['https://auth.example.com/token -', 'https://api.example.com/orders Bearer T1']);
  });
});
