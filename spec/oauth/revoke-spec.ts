import { filter, firstValueFrom, lastValueFrom } from 'rxjs';
import { ON_BEHALF_OF, ON_CLOSE } from '../../src/internal/sourceHooks.js';
import { clientCredentials } from '../../src/oauth/clientCredentials.js';
import type { OAuthOptions } from '../../src/oauth/options.js';
import { refreshToken } from '../../src/oauth/refreshToken.js';
import { REVOCATION_TIMEOUT } from '../../src/oauth/revoke.js';
import type { SourceHooks } from '../../src/token/proof.js';
import { createTokenStream } from '../../src/token/tokenStream.js';
import type { AccessToken, TokenSource } from '../../src/token/types.js';
import { ask, deferred, fakeEndpoint, refuse } from './fakeEndpoint.js';

const base = { clientId: 'orders', clientSecret: 's', revokeOnClose: true };
const token = { value: 'T1', type: 'Bearer' } as AccessToken;
const closing = (options: OAuthOptions) => (clientCredentials(options) as SourceHooks)[ON_CLOSE];
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

describe('revokeOnClose', () => {
  it('should revoke the token as the client (RFC 7009 section 2.1)', async () => {
    const endpoint = fakeEndpoint(() => refuse(200));
    closing({
      ...base,
      tokenEndpoint: 'https://id.example/token',
      revocationEndpoint: 'https://id.example/revoke',
      fetch: endpoint.fetch,
    })?.(token);
    await settled();
    expect(endpoint.seen).toEqual([
      {
        url: 'https://id.example/revoke',
        form: { token: 'T1', token_type_hint: 'access_token' },
        headers: expect.objectContaining({ authorization: `Basic ${btoa('orders:s')}` }) as unknown,
      },
    ]);
  });

  it.each<[string, object, string | undefined]>([
    ['which the issuer names', { revocation_endpoint: 'https://id.example/r1' }, 'https://id.example/r1'],
    [
      "which is given, rather than the issuer's",
      { revocation_endpoint: 'https://id.example/r1', given: 'https://id.example/r2' },
      'https://id.example/r2',
    ],
    ['nowhere, if the issuer names none', {}, undefined],
  ])('should go to the place %s', async (_where, { given, ...named }: { given?: string }, expected) => {
    const endpoint = fakeEndpoint(({ url }) =>
      url.includes('well-known')
        ? { issuer: 'https://id.example', token_endpoint: 'https://id.example/t', ...named }
        : refuse(200),
    );
    closing({ ...base, issuer: 'https://id.example', revocationEndpoint: given, fetch: endpoint.fetch })?.(token);
    await settled();
    expect(endpoint.seen.slice(1).map(({ url }) => url)).toEqual(expected === undefined ? [] : [expected]);
  });

  it('should not be, unless asked for', () => {
    expect(closing({ ...base, revokeOnClose: false, tokenEndpoint: 'https://id.example/token' })).toBeUndefined();
  });

  it('should do nothing without a token', async () => {
    const endpoint = fakeEndpoint(() => refuse(200));
    closing({ ...base, issuer: 'https://id.example', fetch: endpoint.fetch })?.(null);
    await settled();
    expect(endpoint.seen).toEqual([]);
  });

  it('should fail silently', async () => {
    const endpoint = fakeEndpoint(() => Promise.reject(new Error('down')));
    closing({ ...base, issuer: 'https://id.example', fetch: endpoint.fetch })?.(token);
    await settled(); // an unhandled rejection would fail this file
    expect(endpoint.seen).toHaveLength(1);
  });

  it('should give up after 2 seconds', async () => {
    const aborted = deferred<number>();
    const from = performance.now();
    const fetch: typeof globalThis.fetch = (_url, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => {
          aborted.resolve(performance.now() - from);
          reject(new Error('aborted'));
        });
      });
    closing({ ...base, tokenEndpoint: 'https://id.example/t', revocationEndpoint: 'https://id.example/r', fetch })?.(
      token,
    );
    // The timer of AbortSignal.timeout keeps no process alive: something else must.
    const alive = setInterval(() => undefined, 1000);
    const took = await aborted.promise;
    clearInterval(alive);
    expect(REVOCATION_TIMEOUT).toBe(2000);
    expect(took).toBeGreaterThan(1900);
    expect(took).toBeLessThan(3000);
  });
});

describe('a token that comes after close', () => {
  const places = { tokenEndpoint: 'https://id.example/token', revocationEndpoint: 'https://id.example/revoke' };
  /** Answers token requests when told to. */
  const slow = () => {
    const gate = deferred<undefined>();
    const aborted: boolean[] = [];
    let n = 0;
    const { fetch: answer, seen } = fakeEndpoint(async ({ url }) => {
      if (url.endsWith('/revoke')) return refuse(200);
      await gate.promise;
      return { access_token: `T${String(++n)}`, refresh_token: `r${String(n + 1)}` };
    });
    const fetch: typeof globalThis.fetch = (url, init) => {
      init?.signal?.addEventListener('abort', () => aborted.push(true));
      return answer(url, init);
    };
    return {
      gate,
      fetch,
      aborted,
      revoked: () => seen.filter(({ url }) => url.endsWith('/revoke')).map(({ form }) => form.token),
    };
  };
  const sources: [string, (fetch: typeof globalThis.fetch, revokeOnClose?: boolean) => TokenSource][] = [
    [
      'clientCredentials',
      (fetch, revokeOnClose = true) => clientCredentials({ ...base, ...places, revokeOnClose, fetch }),
    ],
    [
      'refreshToken',
      (fetch, revokeOnClose = true) => refreshToken({ ...base, ...places, revokeOnClose, fetch, refreshToken: 'r1' }),
    ],
  ];
  const open = async (source: TokenSource) => {
    const token$ = createTokenStream(source);
    const done = lastValueFrom(token$, { defaultValue: null }).catch((error: unknown) => (error as Error).name);
    await settled();
    return { token$, done };
  };

  it.each(sources)('should be revoked too, and nobody waits for it: %s', async (_grant, create) => {
    const { gate, fetch, revoked } = slow();
    const { token$, done } = await open(create(fetch));
    token$.close();
    expect(await done).toBeNull();
    gate.resolve(undefined);
    await settled();
    expect(revoked()).toEqual(['T1']);
  });

  it.each<[string, boolean]>([
    ['in the pause after a timeout', false],
    ['after its subscriber has left, and a timeout', true],
  ])('should be revoked too when close() comes %s, while its exchange is brought to its end', async (_when, leaves) => {
    const { gate, fetch, revoked } = slow();
    const token$ = createTokenStream(refreshToken({ ...base, ...places, fetch, refreshToken: 'r1' }), {
      fetchTimeout: 40,
      backoff: { initial: 5000, max: 5000 },
      random: () => 0.99,
    });
    const failed = firstValueFrom(token$.events.pipe(filter(({ type }) => type === 'refreshFailed')));
    const subscription = token$.subscribe();
    await settled();
    if (leaves) subscription.unsubscribe();
    await failed;
    token$.close();
    gate.resolve(undefined);
    await settled();
    expect(revoked()).toEqual(['T1']);
  });

  it('should not be where another stream of the same source still waits for it', async () => {
    const { gate, fetch, revoked } = slow();
    const source = refreshToken({ ...base, ...places, fetch, refreshToken: 'r1' });
    const closing$ = createTokenStream(source, {
      fetchTimeout: 40,
      backoff: { initial: 5000, max: 5000 },
      random: () => 0.99,
    });
    const failed = firstValueFrom(closing$.events.pipe(filter(({ type }) => type === 'refreshFailed')));
    const leaver = closing$.subscribe();
    const staying = await open(source);
    const token = firstValueFrom(staying.token$);
    await failed;
    closing$.close();
    gate.resolve(undefined);
    expect((await token).value).toBe('T1');
    await settled();
    expect([revoked(), leaver.closed]).toEqual([[], true]);
    staying.token$.close();
  });

  it.each(sources)('should not be, unless asked for: %s', async (_grant, create) => {
    const { gate, fetch, revoked } = slow();
    const { token$ } = await open(create(fetch, false));
    token$.close();
    gate.resolve(undefined);
    await settled();
    expect(revoked()).toEqual([]);
  });

  it.each(sources)(
    'should not be where another stream of the same source uses it, or one that lives on: %s',
    async (_grant, create) => {
      const { gate, fetch, revoked } = slow();
      const source = create(fetch);
      const [closing, staying] = await Promise.all([open(source), open(source)]);
      const token = firstValueFrom(staying.token$);
      closing.token$.close();
      gate.resolve(undefined);
      const { value } = await token;
      await settled();
      expect(revoked()).not.toContain(value);
      staying.token$.close();
    },
  );

  it.each(sources)('should be no trouble when its revocation fails: %s', async (_grant, create) => {
    const { gate, fetch, revoked } = slow();
    const source = create((url, init) =>
      fetch(url, init).then((answer) =>
        (url as string).endsWith('/revoke') ? Promise.reject(new Error('down')) : answer,
      ),
    );
    const { token$ } = await open(source);
    token$.close();
    gate.resolve(undefined);
    await settled(); // an unhandled rejection would fail this file
    expect(revoked()).toEqual(['T1']);
  });

  it('should not be awaited longer than 2 seconds', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    try {
      const { fetch, aborted } = slow();
      const controller = new AbortController();
      const source = clientCredentials({ ...base, ...places, fetch });
      const asked = ask(source, { signal: controller.signal }).catch(() => 'aborted');
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      (source as SourceHooks)[ON_CLOSE]?.(null, controller.signal);
      controller.abort();
      await jest.advanceTimersByTimeAsync(1999);
      expect(aborted).toEqual([]);
      await jest.advanceTimersByTimeAsync(1);
      expect([await asked, aborted]).toEqual(['aborted', [true]]);
    } finally {
      jest.useRealTimers();
    }
  });

  it.each([[undefined], [{ access_token: 7 }]])(
    'should be left alone when it is none, as a sign-in may give: %j',
    async (nothing) => {
      const { fetch: answer, seen } = fakeEndpoint(() => refuse(400, 'invalid_grant'));
      const gate = deferred<never>();
      const source = refreshToken({
        ...base,
        ...places,
        fetch: answer,
        refreshToken: 'r1',
        reauthenticate: () => gate.promise,
      });
      const { token$ } = await open(source);
      token$.close();
      gate.resolve(nothing as never);
      await settled(); // an unhandled rejection would fail this file
      expect(seen.map(({ url }) => url)).toEqual([places.tokenEndpoint]);
    },
  );

  it('should not keep a timeout from ending the request at once', async () => {
    const { fetch, aborted } = slow();
    const controller = new AbortController();
    const asked = ask(clientCredentials({ ...base, ...places, fetch }), { signal: controller.signal }).catch(
      () => 'aborted',
    );
    await settled();
    controller.abort();
    expect([await asked, aborted]).toEqual(['aborted', [true]]);
    const late = new AbortController();
    late.abort();
    await ask(clientCredentials({ ...base, ...places, fetch }), { signal: late.signal }).catch(() => 'aborted');
  });

  it("should be asked for by the stream's own request still, whatever client sends that", async () => {
    const signals: unknown[] = [];
    const fetch: typeof globalThis.fetch = (_url, init) => {
      signals.push((init?.signal as unknown as Record<symbol, unknown>)[ON_BEHALF_OF]);
      return Promise.resolve(Response.json({ access_token: 'T' }));
    };
    const { signal } = new AbortController();
    for (const [, create] of sources) await ask(create(fetch), { signal });
    expect(signals).toEqual([signal, signal]);
  });
});
