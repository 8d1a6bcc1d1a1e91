import { firstValueFrom, timeout } from 'rxjs';
import { createFetch, createTokenStream, type TokenRequest, type TokenStream } from 'rx-fresh-token';
import { startTokenServer, type TokenServer, type TokenServerOptions } from 'rx-fresh-token/testing';

const open: { close: () => unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function start(options?: TokenServerOptions): Promise<TokenServer> {
  const server = await startTokenServer(options);
  open.push(server);
  return server;
}

function streamOf(server: TokenServer): TokenStream {
  const token$ = createTokenStream(server.source, { jitter: 0, backoff: { initial: 1 } });
  open.push(token$);
  return token$;
}

const ask = (server: TokenServer, signal = new AbortController().signal) =>
  server.source({ reason: 'initial', attempt: 1, previous: null, signal } satisfies TokenRequest) as Promise<unknown>;
const get = (server: TokenServer, path: string, token?: string) =>
  fetch(server.origin + path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });

function raise(message: string): never {
  throw new Error(message);
}

describe('startTokenServer', () => {
  it('should use up no step for a GET of the token endpoint', async () => {
    const server = await start();
    server.failToken('permanent');
    expect((await get(server, '/token')).status).toBe(405);
    await expect(ask(server)).rejects.toMatchObject({ status: 400 });
  });

  it('should give tokens, and accept them while they live', async () => {
    const server = await start({ lifetime: 60_000 });
    const request = createFetch(streamOf(server), { baseUrl: server.origin });
    const response = await request('/orders?page=1');
    expect([response.status, response.headers.get('cache-control'), await response.json()]).toEqual([
      200,
      'no-store',
      { method: 'GET', path: '/orders', token: 'token-1' },
    ]);
    expect(server.fateOf('token-1')).toBe('alive');
    expect(server.counts).toEqual({
      tokenRequests: 1,
      tokensIssued: 1,
      apiRequests: 1,
      accepted: 1,
      refused: 0,
      forbidden: 0,
      failed: 0,
    });
  });

  it.each([0, 20])('should answer in real time while timers are fake (latency %p)', async (latency) => {
    jest.useFakeTimers();
    try {
      const server = await start({ latency, lifetime: 60_000 });
      expect(await ask(server)).toMatchObject({ access_token: 'token-1' });
      jest.setSystemTime(Date.now() + 3_600_000);
      expect([(await get(server, '/', 'token-1')).status, server.fateOf('token-1')]).toEqual([200, 'alive']);
    } finally {
      jest.useRealTimers();
    }
  });

  it('should refuse what has expired, was revoked, is unknown or missing', async () => {
    const server = await start({ lifetime: 1 });
    await ask(server);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const answers = await Promise.all([get(server, '/', 'token-1'), get(server, '/', 'no-such'), get(server, '/')]);
    expect(answers.map(({ status, headers }) => [status, headers.get('www-authenticate')])).toEqual([
      [401, 'Bearer error="invalid_token"'],
      [401, 'Bearer error="invalid_token"'],
      [401, 'Bearer'],
    ]);
    expect(server.counts.refused).toBe(3);
  });

  it('should have a revoked token replaced, whichever way it refuses', async () => {
    for (const refuseWith of [401, 403] as const) {
      const server = await start({ lifetime: 60_000, refuseWith, names: 'letters' });
      const request = createFetch(streamOf(server), { baseUrl: server.origin });
      await request('/orders');
      server.revoke('a');
      expect(await (await request('/orders', { method: 'POST', body: 'x' })).json()).toEqual({
        method: 'POST',
        path: '/orders',
        token: 'b',
      });
      expect(server.counts).toMatchObject({ tokensIssued: 2, accepted: 2, refused: 1 });
    }
  });

  it('should fail token requests as ordered, and then be well again', async () => {
    const server = await start({ lifetime: 60_000 });
    server.failToken('transient', 'invalid', 'down', 'ok', 'permanent');
    await expect(ask(server)).rejects.toMatchObject({ code: 'ERR_TOKEN_ENDPOINT', status: 503 });
    expect(await ask(server)).toEqual({});
    await expect(ask(server)).rejects.toMatchObject({ name: 'TypeError' });
    expect(await ask(server)).toEqual({ access_token: 'token-1', token_type: 'Bearer', expires_in: 60 });
    await expect(ask(server)).rejects.toMatchObject({ status: 400, error: 'invalid_client' });
    expect(await ask(server)).toMatchObject({ access_token: 'token-2' });
    expect(server.counts).toMatchObject({ tokenRequests: 6, tokensIssued: 2 });
  });

  it('should be overcome by a stream', async () => {
    const server = await start({ lifetime: 60_000 });
    server.failToken('transient', 'down');
    expect((await firstValueFrom(streamOf(server).pipe(timeout(10_000)))).value).toBe('token-1');
    server.failToken('invalid');
    await expect(firstValueFrom(streamOf(server).pipe(timeout(10_000)))).rejects.toThrow('failed permanently');
  });

  it('should leave nothing behind that keeps the process alive, though an answer was still to come', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const server = await start({ latency: 2 ** 30 });
    const broken = [fetch(server.tokenUrl, { method: 'POST' }), get(server, '/orders')].map((answer) =>
      answer.catch(() => 'broken'),
    );
    while (server.counts.tokenRequests + server.counts.apiRequests < 2)
      await new Promise((resolve) => setTimeout(resolve, 1));
    await server.close();
    expect(await Promise.all(broken)).toEqual(['broken', 'broken']);
    const deadline = Date.now() + 3000;
    while (timers() > before && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(timers()).toBeLessThanOrEqual(before);
  });

  it('should let a request hang until its caller leaves or the server closes', async () => {
    const server = await start();
    server.failToken('hang', 'hang');
    server.failApi('hang');
    const controller = new AbortController();
    const left = ask(server, controller.signal);
    const rest = [ask(server), get(server, '/')].map((each) =>
      each.then(
        () => 'answered',
        () => 'broken',
      ),
    );
    while (server.counts.tokenRequests < 2 || server.counts.apiRequests < 1)
      await new Promise((resolve) => setTimeout(resolve, 2));
    controller.abort(new Error('enough'));
    await expect(left).rejects.toThrow('enough');
    await server.close();
    expect(await Promise.all(rest)).toEqual(['broken', 'broken']);
    expect(server.counts.failed).toBe(1);
  });

  it('should fail and forbid requests of the API as ordered', async () => {
    const server = await start({ lifetime: 60_000 });
    await ask(server);
    server.failApi(500, 'down', 401, 'ok');
    server.forbid('/admin');
    server.forbid('/audit', 'insufficient_scope');
    expect((await get(server, '/', 'token-1')).status).toBe(500);
    await expect(get(server, '/', 'token-1')).rejects.toMatchObject({ name: 'TypeError' });
    const scripted = await get(server, '/', 'token-1');
    expect([scripted.status, scripted.headers.get('www-authenticate')]).toEqual([401, 'Bearer error="invalid_token"']);
    const answers = [
      await get(server, '/admin', 'token-1'),
      await get(server, '/audit', 'token-1'),
      await get(server, '/', 'token-1'),
    ];
    expect(answers.map(({ status, headers }) => [status, headers.get('www-authenticate')])).toEqual([
      [403, null],
      [403, 'Bearer error="insufficient_scope"'],
      [200, null],
    ]);
    expect(server.counts).toEqual({
      tokenRequests: 1,
      tokensIssued: 1,
      apiRequests: 6,
      accepted: 1,
      refused: 0,
      forbidden: 2,
      failed: 3,
    });
  });

  it('should take nothing but POST at the token endpoint', async () => {
    const server = await start();
    const response = await fetch(server.tokenUrl);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    expect(server.counts.tokensIssued).toBe(0);
  });

  it.each(['/token', '/orders'])('should answer the preflight of a page for %s, and not count it', async (path) => {
    const server = await start();
    const headers = { 'access-control-request-method': 'PUT', 'access-control-request-headers': 'authorization' };
    const { status, headers: answer } = await fetch(server.origin + path, { method: 'OPTIONS', headers });
    expect([status, answer.get('access-control-allow-headers')]).toEqual([204, 'authorization']);
    expect(answer.get('access-control-allow-methods')).toBe('PUT');
    expect((await get(server, path)).headers.get('access-control-allow-origin')).toBe('*');
    const { tokenRequests, apiRequests } = server.counts;
    expect(tokenRequests + apiRequests).toBe(1);
  });

  it('should survive paths that are no URL', async () => {
    const server = await start();
    expect((await get(server, '//')).status).toBe(401);
    expect((await get(server, '//?a=b')).status).toBe(401);
  });

  it('should answer after its latency', async () => {
    const server = await start({ latency: 40 });
    const from = performance.now();
    await ask(server);
    expect(performance.now() - from).toBeGreaterThan(35);
  });

  it('should name what it is told that it does not know', async () => {
    const server = await start();
    expect(() => {
      server.failToken('slow' as never);
    }).toThrow(
      new TypeError('option "steps[0]" must be "ok", "transient", "permanent", "invalid", "hang", "down", got "slow"'),
    );
    expect(() => {
      server.failApi('ok', 42);
    }).toThrow(new TypeError('option "steps[1]" must be "ok", "hang", "down" or a status from 200 to 599, got 42'));
  });

  it.each([
    ['throws', () => raise('no name left'), 'Error: no name left'],
    ['gives no string', () => 42 as never, 'TypeError: option "names(1)" must be a string that is not empty, got 42'],
  ])('should say so, and go on, when names %s', async (_what, names, said) => {
    const server = await start({ names });
    const answer = await fetch(server.tokenUrl, { method: 'POST' });
    expect([answer.status, await answer.json()]).toEqual([400, { error: 'invalid_request', error_description: said }]);
    await expect(firstValueFrom(streamOf(server))).rejects.toMatchObject({
      code: 'ERR_TOKEN_UNAVAILABLE',
      cause: { message: `the token server answered 400: ${said}` },
    });
    expect(server.counts).toMatchObject({ tokenRequests: 2, tokensIssued: 0 });
  });

  it('should tell the status of an answer that is not its own, such as the page of a proxy', async () => {
    const server = await start();
    const page = jest.spyOn(globalThis, 'fetch').mockResolvedValue(new Response('<html>', { status: 502 }));
    await expect(ask(server)).rejects.toMatchObject({ code: 'ERR_TOKEN_ENDPOINT', status: 502 });
    page.mockRestore();
  });

  it('should reject when the port is taken', async () => {
    const server = await start();
    await expect(startTokenServer({ port: Number(new URL(server.origin).port) })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });

  it('should say so where there is no node:http', async () => {
    const get = jest.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined);
    await expect(startTokenServer()).rejects.toThrow('startTokenServer needs Node 20.16 or later');
    get.mockRestore();
  });
});
