import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runBlock } from './runBlock.js';

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
      const library = await import('rx-fresh-token');
      const print = (line: unknown) => printed.push(line);
      runBlock(code, { require: () => library, exports: {}, console: { log: print, warn: print, error: print } });
      await new Promise((done) => setTimeout(done, 20));
    } finally {
      globalThis.fetch = native;
    }
    expect(printed).toEqual(['order 7']);
    expect(sent).toEqual(['https://auth.example.com/token -', 'https://api.example.com/orders Bearer T1']);
  });
});
