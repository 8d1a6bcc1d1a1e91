// What the built package must do on every runtime, once as ES modules and once as CommonJS: `use` is told which copies.
const assert = require('node:assert/strict');

const checks = {
  async 'many requests ride on one token'({ createTokenStream, createFetch }, { testing }) {
    const server = await testing.startTokenServer({ lifetime: 60_000 });
    const token$ = createTokenStream(server.source);
    const fetch = createFetch(token$, { baseUrl: server.origin });
    const answers = await Promise.all(Array.from({ length: 50 }, async () => (await fetch('/orders')).json()));
    assert.deepEqual(new Set(answers.map(({ token }) => token)), new Set(['token-1']));
    token$.close();
    await server.close();
  },

  async 'it is renewed before it ends'({ createTokenStream, createFetch }, { testing }) {
    const server = await testing.startTokenServer({ lifetime: 1000 });
    const token$ = createTokenStream(server.source);
    const fetch = createFetch(token$, { baseUrl: server.origin });
    const reasons = [];
    token$.events.subscribe((event) => event.type === 'tokenChanged' && reasons.push(event.reason));
    const watching = token$.subscribe();
    const until = Date.now() + 20_000;
    while (reasons.length < 3 && Date.now() < until) {
      assert.equal((await fetch('/orders')).status, 200);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    watching.unsubscribe();
    token$.close();
    assert.ok(reasons.includes('scheduled'), `renewed ${reasons.join(', ')}`);
    await server.close();
  },

  async 'a revoked token costs one refresh and one repeat, for all'(
    { createTokenStream, createHttpClient },
    { rxjs, testing },
  ) {
    const server = await testing.startTokenServer({ lifetime: 60_000 });
    const token$ = createTokenStream(server.source);
    const http = createHttpClient(token$, { baseUrl: server.origin });
    assert.deepEqual(await rxjs.firstValueFrom(http.post('/orders', { id: 1 })), {
      method: 'POST',
      path: '/orders',
      token: 'token-1',
    });
    server.revoke('token-1');
    const answers = await Promise.all(Array.from({ length: 20 }, () => rxjs.firstValueFrom(http.get('/orders'))));
    assert.deepEqual(new Set(answers.map(({ token }) => token)), new Set(['token-2']));
    assert.equal(server.counts.tokenRequests, 2);
    server.forbid('/secret');
    await assert.rejects(rxjs.firstValueFrom(http.get('/secret')), { code: 'ERR_HTTP_STATUS', status: 403 });
    token$.close();
    await assert.rejects(rxjs.firstValueFrom(http.get('/orders')), { code: 'ERR_TOKEN_STREAM_CLOSED' });
    await server.close();
  },

  async 'a token goes to no other origin, and prints nowhere'({ createTokenStream, createFetch }) {
    const secret = 'canary-of-the-smoke-spec';
    const token$ = createTokenStream(() => [{ access_token: secret, expires_in: 30 }]);
    const fetch = createFetch(token$, { baseUrl: 'https://api.example' });
    const error = await fetch('https://elsewhere.example/?q=1').then(assert.fail, (thrown) => thrown);
    assert.equal(error.code, 'ERR_ORIGIN_NOT_ALLOWED');
    const token = await new Promise((resolve) => token$.subscribe(resolve).unsubscribe());
    const { inspect } = require('node:util');
    for (const text of [
      String(token),
      JSON.stringify({ token }),
      inspect(token, { depth: 10, showHidden: true }),
      inspect(token$, { depth: 10 }),
      inspect(error, { depth: 10 }),
    ]) {
      assert.ok(!text.includes(secret), text);
    }
    token$.close();
  },

  async 'client credentials from an OAuth server'({ createTokenStream, createFetch }, { oauth, testing }) {
    const server = await testing.startTokenServer();
    const token$ = createTokenStream(
      oauth.clientCredentials({
        tokenEndpoint: server.tokenUrl,
        clientId: 'me',
        clientSecret: 'secret',
        allowInsecureRequests: true,
      }),
    );
    const fetch = createFetch(token$, { baseUrl: server.origin });
    assert.equal((await fetch('/orders')).status, 200);
    token$.close();
    await server.close();
  },

  async 'a token in a file, which keeps the contract of a store'(_library, { file, testing }) {
    const [{ mkdtempSync, readdirSync, rmSync }, { join }] = [require('node:fs'), require('node:path')];
    const create = () => {
      const folder = mkdtempSync(join(require('node:os').tmpdir(), 'rx-fresh-token-file-'));
      const path = join(folder, 'token.json');
      return {
        stores: [1, 2, 3].map(() => file.fileTokenStore(path)),
        dispose: () => {
          assert.deepEqual(readdirSync(folder), ['token.json']);
          rmSync(folder, { recursive: true });
        },
      };
    };
    for (const { name, run } of testing.storeContract({ create }))
      await run().catch((error) => assert.fail(`${name}: ${error.message}`));
  },

  async 'a sign-out in a file, which the other streams notice'({ createTokenStream }, { file, rxjs }) {
    const { mkdtempSync, readFileSync, rmSync } = require('node:fs');
    const folder = mkdtempSync(require('node:path').join(require('node:os').tmpdir(), 'rx-fresh-token-file-'));
    const path = require('node:path').join(folder, 'token.json');
    const open = () =>
      createTokenStream(() => [{ access_token: 'canary', expires_in: 60 }], { store: file.fileTokenStore(path) });
    const [one, other] = [open(), open()];
    for (const token$ of [one, other]) assert.equal((await rxjs.firstValueFrom(token$)).value, 'canary');
    const noticed = rxjs.firstValueFrom(
      other.events.pipe(
        rxjs.filter(({ type }) => type === 'signedOut'),
        rxjs.timeout(10_000),
      ),
    );
    one.signOut();
    await noticed;
    assert.equal(other.current, null);
    assert.ok(!readFileSync(path, 'utf8').includes('canary'));
    for (const token$ of [one, other]) token$.close();
    rmSync(folder, { recursive: true });
  },

  async 'each tenant has a token of its own, and its events are published'(_library, { pool, otel, rxjs }) {
    const tokens = pool.createTokenPool(({ id }) => () => [{ access_token: `token-of-${id}`, expires_in: 30 }]);
    const types = [];
    const { channel } = process.getBuiltinModule?.('node:diagnostics_channel') ?? {};
    channel?.('rx-fresh-token:tokenChanged').subscribe(({ name }) => types.push(name));
    otel.publishToken(tokens.get({ id: 'a' }), { name: 'first' });
    for (const id of ['a', 'b']) assert.equal((await rxjs.firstValueFrom(tokens.get({ id }))).value, `token-of-${id}`);
    assert.deepEqual(types, channel ? ['first'] : []);
    assert.throws(() => tokens.get({ id: new Date() }), /idOf/);
    tokens.close();
  },

  'a year of renewals in virtual time'({ createTokenStream }, { rxjs, testing }) {
    const scheduler = new rxjs.VirtualTimeScheduler();
    const source = testing.fakeTokenSource({ scheduler, lifetime: 86_400_000 });
    const token$ = createTokenStream(source, { scheduler, jitter: 0 });
    const watching = token$.subscribe();
    scheduler.maxFrames = 365 * 86_400_000;
    scheduler.flush();
    watching.unsubscribe();
    token$.close();
    // Each five minutes before the end of a day.
    assert.equal(source.calls.length, 1 + Math.floor((365 * 1440) / 1435));
  },
};

/** Runs all checks with the given copies of the package's entries; throws on the first that fails. */
module.exports = async function behave(library, others) {
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check(library, others);
    } catch (error) {
      throw new Error(`not so: ${name}`, { cause: error });
    }
  }
  return Object.keys(checks).length;
};
