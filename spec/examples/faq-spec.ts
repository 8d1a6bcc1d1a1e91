import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import * as library from 'rx-fresh-token';
import { runBlock } from '../runBlock.js';
import { until } from '../until.js';

const page = readFileSync(join(__dirname, '../../docs/faq.md'), 'utf8');
const block = /^### Graceful shutdown$.*?^```ts\n(.*?)^```/ms.exec(page)?.[1] ?? '';

it('should close the stream after SIGTERM, though a client goes on sending on its connection', async () => {
  let server: http.Server | undefined;
  const native = globalThis.fetch;
  globalThis.fetch = () => Promise.resolve(Response.json({ access_token: 'T1', expires_in: 30 }));
  const isClosed = jest.fn();
  const modules: Record<string, unknown> = {
    'node:http': { createServer: (listener: http.RequestListener) => (server = http.createServer(listener)) },
    'rx-fresh-token': {
      ...library,
      createTokenStream: (source: library.TokenSource) => {
        const token$ = library.createTokenStream(source);
        token$.events.subscribe({ complete: isClosed });
        return token$;
      },
    },
  };
  const terminate = await new Promise<() => void>((resolve) => {
    runBlock(block.replace('3000', '0'), {
      exports: {},
      require: (name: string) => modules[name],
      process: { once: (_signal: string, listener: () => void) => resolve(listener) },
    });
  });
  const { port } = server?.address() as AddressInfo;
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const statuses: unknown[] = [];
  const send = () =>
    new Promise<unknown>((resolve, reject) => {
      http
        .get({ port, agent }, (answer) => {
          answer.resume().once('end', () => resolve(answer.statusCode));
        })
        .once('error', reject);
    });
  try {
    statuses.push(await send());
    const open = send();
    await new Promise((resolve) => server?.once('request', resolve));
    terminate();
    statuses.push(await open, await send());
    const refused: unknown = await send().catch((error: unknown) => error);
    expect(statuses).toEqual([200, 200, 200]);
    expect(refused).toMatchObject({ code: 'ECONNREFUSED' });
    await until(() => isClosed.mock.calls.length === 1);
  } finally {
    globalThis.fetch = native;
    agent.destroy();
  }
});
