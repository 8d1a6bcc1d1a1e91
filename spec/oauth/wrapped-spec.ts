import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileTokenStore } from '../../src/file/fileTokenStore.js';
import { createFetch } from '../../src/http/createFetch.js';
import { clientCredentials } from '../../src/oauth/clientCredentials.js';
import { refreshToken } from '../../src/oauth/refreshToken.js';
import { createTokenPool } from '../../src/pool/tokenPool.js';
import { takeToken } from '../../src/token/takeToken.js';
import { createTokenStream } from '../../src/token/tokenStream.js';
import type { TokenStore } from '../../src/token/tokenStore.js';
import type { TokenSource } from '../../src/token/types.js';
import { delay, firstValueFrom, from, map, timer } from 'rxjs';
import { fakeEndpoint, type Seen } from './fakeEndpoint.js';

const base = {
  tokenEndpoint: 'https://id.example/token',
  revocationEndpoint: 'https://id.example/revoke',
  clientId: 'orders',
  clientSecret: 's',
};

/** How users put a function of their own around a source. */
const WRAPPERS: [string, (source: TokenSource) => TokenSource][] = [
  ['an arrow function', (source) => (request) => source(request)],
  ['an async function', (source) => async (request) => await firstValueFrom(from(source(request)))],
  ['a delay', (source) => (request) => from(source(request)).pipe(delay(1))],
  ['a copy of the request', (source) => (request) => source({ ...request })],
  [
    'a time limit of its own',
    (source) => (request) =>
      source({ ...request, signal: AbortSignal.any([request.signal, AbortSignal.timeout(5000)]) }),
  ],
  ['a report of its own', (source) => (request) => source({ ...request, report: (error) => request.report?.(error) })],
  ['two functions', (source) => (request) => ((again) => source(again))(request)],
];

function issuing(token_type = 'Bearer') {
  let issued = 0;
  const endpoint = fakeEndpoint(({ url }: Seen) => {
    if (url.endsWith('/revoke')) return {};
    issued += 1;
    return {
      access_token: `T${String(issued)}`,
      token_type,
      expires_in: 30,
      refresh_token: `R${String(issued)}`,
    };
  });
  const formsTo = (path: string) => endpoint.seen.filter(({ url }) => url.endsWith(path)).map(({ form }) => form);
  return { fetch: endpoint.fetch, formsTo };
}

describe.each(WRAPPERS)('a source of ./oauth inside %s', (_name, wrap) => {
  it('should use the newest refresh token of the store, and report that it could not be stored', async () => {
    const { fetch, formsTo } = issuing();
    const onRotate = () => Promise.reject(new Error('disk full'));
    const store: TokenStore = {
      refresh: (_request, exchange) =>
        from(exchange({ access_token: 'T0', refresh_token: 'R0' })).pipe(
          map((response) => ({ response, age: 0, origin: 'fetched' })),
        ),
    };
    const token$ = createTokenStream(wrap(refreshToken({ ...base, fetch, refreshToken: 'used', onRotate })), { store });
    const failures: unknown[] = [];
    token$.events.subscribe((event) => event.type === 'refreshFailed' && failures.push(event.message));
    await firstValueFrom(takeToken(token$));
    expect(formsTo('/token').map((form) => form.refresh_token)).toEqual(['R0']);
    expect(failures).toEqual(['onRotate failed: the new refresh token is in use, but not stored']);
    token$.close();
  });

  it('should forget and revoke its refresh token at signOut()', async () => {
    const { fetch, formsTo } = issuing();
    let signedIn: string | undefined = 'R0';
    const token$ = createTokenStream(wrap(refreshToken({ ...base, fetch, refreshToken: () => signedIn })));
    await firstValueFrom(takeToken(token$));
    signedIn = undefined;
    token$.signOut();
    await firstValueFrom(timer(10));
    expect(formsTo('/revoke')).toContainEqual(expect.objectContaining({ token: 'R1' }));
    const next = firstValueFrom(takeToken(token$));
    await expect(next).rejects.toThrow('there is no refresh token: the user must sign in');
    expect(formsTo('/token')).toHaveLength(1);
    token$.close();
  });

  it('should forget its refresh token at signOut(), with a store', async () => {
    const { fetch, formsTo } = issuing();
    let signedIn: string | undefined = 'R0';
    const folder = mkdtempSync(join(tmpdir(), 'wrapped-'));
    const store = fileTokenStore(join(folder, 'token.json'));
    const token$ = createTokenStream(wrap(refreshToken({ ...base, fetch, refreshToken: () => signedIn })), { store });
    await firstValueFrom(takeToken(token$));
    signedIn = undefined;
    token$.signOut();
    await expect(firstValueFrom(takeToken(token$))).rejects.toThrow('there is no refresh token: the user must sign in');
    expect(formsTo('/token')).toHaveLength(1);
    token$.close();
    rmSync(folder, { recursive: true });
  });

  it('should revoke its token at close(), with revokeOnClose', async () => {
    const { fetch, formsTo } = issuing();
    const token$ = createTokenStream(wrap(clientCredentials({ ...base, fetch, revokeOnClose: true })));
    await firstValueFrom(takeToken(token$));
    token$.close();
    await firstValueFrom(timer(10));
    expect(formsTo('/revoke')).toEqual([expect.objectContaining({ token: 'T1' })]);
  });

  it('should revoke the tokens of a pool that closes, whose manager has ended', async () => {
    const { fetch, formsTo } = issuing();
    const pool = createTokenPool((clientId: string) =>
      wrap(clientCredentials({ ...base, clientId, fetch, revokeOnClose: true })),
    );
    await firstValueFrom(takeToken(pool.get('a')));
    await firstValueFrom(timer(10));
    pool.close();
    await firstValueFrom(timer(10));
    expect(formsTo('/revoke')).toEqual([expect.objectContaining({ token: 'T1' })]);
  });

  it('should be refused with dpop, since clients that exist already do not know of the proof', async () => {
    const { fetch, formsTo } = issuing('DPoP');
    const token$ = createTokenStream(wrap(clientCredentials({ ...base, fetch, dpop: true })));
    const request = createFetch(token$, { baseUrl: 'https://api.example' })('/orders');
    await expect(request).rejects.toMatchObject({
      cause: { message: expect.stringContaining('must be given to the stream as it is') as string },
    });
    expect(formsTo('/token')).toHaveLength(1);
    token$.close();
  });
});

it('should tell nothing to a source whose token is exchanged by hand for another', async () => {
  const { fetch, formsTo } = issuing('DPoP');
  const machine = clientCredentials({ ...base, fetch, revokeOnClose: true, dpop: true });
  const token$ = createTokenStream((request) =>
    from(machine(request)).pipe(map(() => ({ access_token: 'S1', expires_in: 30 }))),
  );
  await firstValueFrom(takeToken(token$));
  token$.signOut();
  await firstValueFrom(takeToken(token$));
  token$.close();
  await firstValueFrom(timer(10));
  expect(formsTo('/revoke')).toEqual([]);
});

it('should tell each source of its own end, where two have one sign-in', async () => {
  const [first, second] = [issuing(), issuing()];
  const session = { access_token: 'L', expires_in: 30, refresh_token: 'LR' };
  const streams = [first, second].map(({ fetch }) =>
    createTokenStream(
      refreshToken({ ...base, fetch, refreshToken: () => undefined, reauthenticate: () => Promise.resolve(session) }),
    ),
  );
  await Promise.all(streams.map((token$) => firstValueFrom(takeToken(token$))));
  streams[0]!.signOut();
  await firstValueFrom(timer(10));
  expect(first.formsTo('/revoke')).toContainEqual(expect.objectContaining({ token: 'LR' }));
  expect(second.formsTo('/revoke')).toEqual([]);
  expect(Object.getOwnPropertySymbols(session)).toEqual([]);
  for (const token$ of streams) token$.close();
});

it('should tell the source that gave the last token, of two', async () => {
  const [first, second] = [issuing(), issuing()];
  let isFirst = true;
  const sources = [first, second].map(({ fetch }) => refreshToken({ ...base, fetch, refreshToken: () => 'R0' }));
  const token$ = createTokenStream((request) => sources[isFirst ? 0 : 1]!(request));
  await firstValueFrom(takeToken(token$));
  isFirst = false;
  await firstValueFrom(token$.refresh());
  token$.signOut();
  await firstValueFrom(timer(10));
  expect(first.formsTo('/revoke')).toEqual([]);
  expect(second.formsTo('/revoke')).toContainEqual(expect.objectContaining({ token: 'R1' }));
  token$.close();
});

it('should keep its own hooks, if another source is called inside it', async () => {
  const [gateway, own] = [issuing(), issuing()];
  const through = clientCredentials({ ...base, fetch: gateway.fetch });
  const fetch: typeof globalThis.fetch = async (url, init) => {
    const request = { reason: 'initial', attempt: 1, previous: null, signal: init!.signal! } as const;
    await firstValueFrom(from(through(request)));
    return own.fetch(url, init);
  };
  const token$ = createTokenStream(refreshToken({ ...base, fetch, refreshToken: () => 'R0' }));
  await firstValueFrom(takeToken(token$));
  token$.signOut();
  await firstValueFrom(timer(10));
  expect(gateway.formsTo('/revoke')).toEqual([]);
  expect(own.formsTo('/revoke')).toContainEqual(expect.objectContaining({ token: 'R1' }));
  token$.close();
});
