import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { firstValueFrom } from 'rxjs';
import * as library from 'rx-fresh-token';
import { runBlock } from '../runBlock.js';

const { createFetch, takeToken } = library;
type StartSession = (signedIn: object) => library.TokenStream;

const page = readFileSync(join(__dirname, '../../docs/stream.md'), 'utf8');
const section = page.slice(page.indexOf('## A refresh token of your own back end'));
const block = /^```ts\n(.*?)^```/ms.exec(section)?.[1] ?? '';

/** The block of the page as a program. */
function startSessionAt(origin: string, change: (code: string) => string): StartSession {
  const code = change(block.replace('https://api.example.com', origin));
  const exported = {} as { startSession: StartSession };
  runBlock(code, { require, exports: exported });
  return exported.startSession;
}

/** A back end that rotates, and that ends the session when a used refresh token comes back. */
async function startBackEnd() {
  let count = 0;
  let current = 'r0';
  const seen: unknown[] = [];
  const api = { slow: 0, refusal: 401, current: () => current, seen, signIn: (token: string) => (current = token) };
  const server = createServer((request, response) => {
    void (async () => {
      if (request.url === '/orders') return response.end(request.headers.authorization);
      const body = (await json(request)) as { refreshToken: string };
      seen.push([request.method, request.url, request.headers['content-type'], body]);
      const isCurrent = body.refreshToken === current;
      current = isCurrent ? `r${String(++count)}` : 'none';
      const answer = { accessToken: `a${String(count)}`, refreshToken: current, expiresIn: 60 };
      await new Promise((resolve) => setTimeout(resolve, api.slow));
      response.writeHead(isCurrent ? 200 : api.refusal, { 'content-type': 'application/json' });
      return response.end(JSON.stringify(isCurrent ? answer : { message: 'reuse' }));
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return Object.assign(api, { origin, close });
}

const signedIn = { accessToken: 'a0', refreshToken: 'r0', expiresIn: 60 };

/** As the page tells it for a stream that is made before the sign-in. */
const beforeSignIn = (code: string): string =>
  code.replace(/ \{ initial.*$/m, '').replace('refreshToken: signed', 'refreshToken: () => signed');

async function withSession(
  use: (token$: library.TokenStream, api: Awaited<ReturnType<typeof startBackEnd>>) => Promise<void>,
  change = (code: string): string => code,
  tokens: object = signedIn,
): Promise<void> {
  const api = await startBackEnd();
  const token$ = startSessionAt(api.origin, change)(tokens);
  try {
    await use(token$, api);
  } finally {
    token$.close();
    api.close();
  }
}

describe("the page's session with a back end of one's own", () => {
  it('should begin with the token of the sign-in, and exchange each refresh token once, as JSON', () =>
    withSession(async (token$, api) => {
      const send = createFetch(token$, { baseUrl: api.origin });
      const orders = async () => (await send('/orders')).text();
      expect(await orders()).toBe('Bearer a0');
      expect(api.seen).toEqual([]);
      await firstValueFrom(token$.refresh());
      expect(await orders()).toBe('Bearer a1');
      await firstValueFrom(token$.refresh());
      expect(await orders()).toBe('Bearer a2');
      expect(api.seen).toEqual(
        ['r0', 'r1'].map((refreshToken) => ['POST', '/auth/refresh', 'application/json', { refreshToken }]),
      );
    }));

  it('should keep the session when an answer takes longer than fetchTimeout', () =>
    withSession(
      async (token$, api) => {
        api.slow = 300;
        expect(await firstValueFrom(token$.refresh())).toMatchObject({ value: 'a1' });
        api.slow = 0;
        await firstValueFrom(token$.refresh());
        expect(await firstValueFrom(takeToken(token$))).toMatchObject({ value: 'a2' });
        expect([api.current(), api.seen.length]).toEqual(['r2', 2]);
      },
      (code) => code.replace('{ initial', '{ fetchTimeout: 100, initial'),
    ));

  it('should begin again after signOut() and another sign-in, though a 404 does not end its refresh token', async () => {
    const tokens = { refreshToken: 'ended' };
    await withSession(
      async (token$, api) => {
        api.refusal = 404;
        const failure: unknown = await firstValueFrom(token$.refresh()).catch((error: unknown) => error);
        expect(failure).toMatchObject({ cause: { status: 404 } });
        token$.signOut();
        tokens.refreshToken = api.signIn('second');
        expect(await firstValueFrom(token$.refresh())).toMatchObject({ value: 'a1' });
      },
      beforeSignIn,
      tokens,
    );
  });

  it('should begin with the sign-in, for a stream that was made before', async () => {
    const tokens: { refreshToken?: string } = {};
    await withSession(
      async (token$, api) => {
        const failure: unknown = await firstValueFrom(token$.refresh()).catch((error: unknown) => error);
        expect(failure).toMatchObject({ cause: { error: 'login_required' } });
        tokens.refreshToken = 'r0';
        expect(await firstValueFrom(token$.refresh())).toMatchObject({ value: 'a1' });
        expect(api.seen).toHaveLength(1);
      },
      beforeSignIn,
      tokens,
    );
  });

  it('should fail at once when the back end has ended the session', () =>
    withSession(async (token$, api) => {
      api.seen.push(await fetch(`${api.origin}/auth/refresh`, { method: 'POST', body: '{"refreshToken":"used"}' }));
      const failure: unknown = await firstValueFrom(token$.refresh()).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE', cause: { status: 401 } });
      // The request above, its Response, and one exchange.
      expect(api.seen).toHaveLength(3);
    }));
});
