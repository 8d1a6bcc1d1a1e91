import { firstValueFrom, lastValueFrom } from 'rxjs';
import { ON_CLOSE } from '../../src/internal/hiddenMembers.js';
import { clientCredentials } from '../../src/oauth/clientCredentials.js';
import type { OAuthOptions } from '../../src/oauth/options.js';
import { REVOCATION_TIMEOUT } from '../../src/oauth/endpoint/revoke.js';
import type { SourceHooks } from '../../src/token/sourceHooks.js';
import { createTokenStream } from '../../src/token/tokenStream.js';
import type { AccessToken, TokenSource } from '../../src/token/types.js';
import { ask, deferred, fakeEndpoint, refuse } from './fakeEndpoint.js';

const base = { clientId: 'orders', clientSecret: 's', revokeOnClose: true };
const places = { tokenEndpoint: 'https://id.example/token', revocationEndpoint: 'https://id.example/revoke' };
const token = { value: 'T1', type: 'Bearer' } as AccessToken;
const closing = (options: OAuthOptions) => (clientCredentials(options) as SourceHooks)[ON_CLOSE];
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

it('should ask for no token when the stream is signed out before the request is sent', async () => {
  const endpoint = fakeEndpoint(() => ({ access_token: 'T1' }));
  const token$ = createTokenStream(
    clientCredentials({
      ...base,
      revokeOnClose: false,
      tokenEndpoint: 'https://id.example/token',
      fetch: endpoint.fetch,
    }),
  );
  token$.subscribe().unsubscribe();
  const subscription = token$.subscribe();
  token$.signOut();
  subscription.unsubscribe();
  await settled();
  expect(endpoint.seen).toEqual([]);
  token$.close();
});

describe('revokeOnClose', () => {
  it('should revoke the token as the client (RFC 7009 section 2.1)', async () => {
    const endpoint = fakeEndpoint(() => refuse(200));
    closing({ ...base, ...places, fetch: endpoint.fetch })?.(token);
    await settled();
    expect(endpoint.seen).toEqual([
      {
        url: 'https://id.example/revoke',
        form: { token: 'T1', token_type_hint: 'access_token' },
        headers: expect.objectContaining({ authorization: `Basic ${btoa('orders:s')}` }) as unknown,
      },
    ]);
  });

  it('should revoke where there is no AbortSignal.timeout, as in React Native', async () => {
    const endpoint = fakeEndpoint(() => refuse(200));
    const timeout = Object.getOwnPropertyDescriptor(AbortSignal, 'timeout')!;
    Object.defineProperty(AbortSignal, 'timeout', { value: undefined, configurable: true });
    try {
      closing({ ...base, ...places, fetch: endpoint.fetch })?.(token);
      await settled();
    } finally {
      Object.defineProperty(AbortSignal, 'timeout', timeout);
    }
    expect(endpoint.seen).toHaveLength(1);
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
    // Its timer keeps no process alive: something else must.
    const alive = setInterval(() => undefined, 1000);
    const took = await aborted.promise;
    clearInterval(alive);
    expect(REVOCATION_TIMEOUT).toBe(2000);
    expect(took).toBeGreaterThan(1900);
    expect(took).toBeLessThan(3000);
  });
});

describe('a token that comes after close', () => {
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
});
