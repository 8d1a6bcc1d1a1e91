import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import * as library from 'rx-fresh-token';
import { runBlock } from '../runBlock.js';
import { until } from '../until.js';

const page = readFileSync(join(__dirname, '../../docs/faq.md'), 'utf8');
const blockOf = (heading: string) =>
  new RegExp(`^### ${heading}$.*?^\`\`\`ts\n(.*?)^\`\`\``, 'ms').exec(page)?.[1] ?? '';

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
    runBlock(blockOf('Graceful shutdown').replace('3000', '0'), {
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

describe('the hook for React', () => {
  interface Hook {
    readonly token$: library.TokenStream;
    useToken(): library.AccessToken | null;
  }

  /** What a component has shown, one after the other. */
  function show(answer: (n: number) => Response) {
    let count = 0;
    const exports = {} as Hook;
    const shown: unknown[] = [];
    runBlock(blockOf('React'), {
      require: () => library,
      exports,
      fetch: () => Promise.resolve(answer(++count)),
      useSyncExternalStore: (subscribe: (notify: () => void) => () => void, get: () => library.AccessToken | null) => {
        const render = () => {
          if (shown.at(-1) !== (get()?.value ?? null)) shown.push(get()?.value ?? null);
        };
        render();
        leave = subscribe(render);
      },
    });
    exports.useToken();
    return { token$: exports.token$, shown };
  }
  let leave: () => void;
  afterEach(() => leave());

  const token = (n: number) => Response.json({ access_token: `T${n}`, expires_in: 3600 });

  it('should not show null while a rejected token is replaced', async () => {
    const { token$, shown } = show(token);
    await until(() => token$.current !== null);
    token$.reject(token$.current!);
    expect(token$.current).toBeNull();
    await until(() => token$.current !== null);
    expect(shown).toEqual([null, 'T1', 'T2']);
  });

  it('should show null after a sign-out, and the token of the next sign-in', async () => {
    const { token$, shown } = show(token);
    await until(() => token$.current !== null);
    token$.signOut();
    expect(shown).toEqual([null, 'T1', null]);
    token$.refresh().subscribe();
    await until(() => token$.current !== null);
    expect(shown).toEqual([null, 'T1', null, 'T2']);
  });

  it('should show null when the user must sign in again', async () => {
    const { token$, shown } = show((n) => (n === 1 ? token(1) : new Response(null, { status: 401 })));
    await until(() => token$.current !== null);
    token$.refresh().subscribe({ error: () => undefined });
    await until(() => shown.length === 3);
    expect(shown).toEqual([null, 'T1', null]);
  });
});
