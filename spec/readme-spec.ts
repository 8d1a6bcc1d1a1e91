import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ts from 'typescript';

describe('the README', () => {
  it('should open with a quick start of at most 15 lines that runs', async () => {
    const page = readFileSync(join(__dirname, '..', 'README.md'), 'utf8');
    const code = /^```ts\n(.*?)^```/ms.exec(page)?.[1] ?? '';
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
        {
          log: (line: unknown) => printed.push(line),
          warn: (line: unknown) => printed.push(line),
          error: (line: unknown) => printed.push(line),
        },
      );
      await new Promise((done) => setTimeout(done, 20));
    } finally {
      globalThis.fetch = native;
    }
    expect(printed).toEqual(['order 7']);
    expect(sent).toEqual(['https://auth.example.com/token -', 'https://api.example.com/orders Bearer T1']);
  });
});
