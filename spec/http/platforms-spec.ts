import { getEventListeners } from 'node:events';
import { firstValueFrom } from 'rxjs';
import { createFetch, createHttpClient } from 'rx-fresh-token';
import { NativeUrl } from './reactNative.js';
import { cleanUp, stubFetch, warmTokens } from './support.js';

// The modules look at the platform when they are loaded: each of these loads them anew.

afterEach(cleanUp);

describe('in a browser, where redirects are opaque', () => {
  const root = globalThis as { document?: unknown };
  let browser: typeof import('rx-fresh-token');
  beforeEach(async () => {
    root.document = {};
    await jest.isolateModulesAsync(async () => {
      browser = await import('rx-fresh-token');
    });
  });
  afterEach(() => {
    delete root.document;
  });

  it("should leave the following to the browser, which strips Authorization, and imply redirect: 'error' with a custom authorize", async () => {
    const { token$ } = await warmTokens();
    const plain = stubFetch(200);
    await browser.createFetch(token$, { baseUrl: 'https://api.example.com', fetch: plain.fetch })('/');
    const custom = stubFetch(200);
    const fetchWithToken = browser.createFetch(token$, {
      baseUrl: 'https://api.example.com',
      fetch: custom.fetch,
      authorize: (headers, { value }) => {
        headers.set('x-api-key', value);
      },
    });
    await fetchWithToken('/');
    await fetchWithToken('/', { redirect: 'follow' });
    await fetchWithToken('/', { redirect: 'manual' });
    expect(plain.calls.map(({ init }) => init.redirect)).toEqual(['follow']);
    expect(custom.calls.map(({ init }) => init.redirect)).toEqual(['error', 'error', 'manual']);
  });

  it('should cause no refresh when another origin rejected after a redirect, and one when this one did', async () => {
    const { token$, asked } = await warmTokens();
    const at = (url: string) =>
      Object.defineProperties(new Response(null, { status: 401 }), {
        redirected: { value: true },
        url: { value: url },
      });
    const away = stubFetch(at('https://other.example/b'));
    expect(
      (await browser.createFetch(token$, { baseUrl: 'https://api.example.com', fetch: away.fetch })('/a')).status,
    ).toBe(401);
    expect([away.calls.length, asked.length]).toEqual([1, 1]);
    const home = stubFetch(at('https://api.example.com/b'), 200);
    expect(
      (await browser.createFetch(token$, { baseUrl: 'https://api.example.com', fetch: home.fetch })('/a')).status,
    ).toBe(200);
    expect([home.calls.length, asked.length]).toEqual([2, 2]);
  });

  it('should not count the page of another origin, to which a redirect has led, as an acceptance', async () => {
    const { token$, asked } = await warmTokens();
    const signIn = Object.defineProperties(new Response('Sign in'), {
      redirected: { value: true },
      url: { value: 'https://login.example/' },
    });
    const { fetch } = stubFetch(401, 401, signIn, 401);
    const fetchWithToken = browser.createFetch(token$, { baseUrl: 'https://api.example.com', fetch });
    for (const status of [401, 200, 401]) expect((await fetchWithToken('/a')).status).toBe(status);
    // The resource that has rejected a new token is still remembered.
    expect(asked).toHaveLength(2);
  });

  it.each(['POST', 'PATCH', 'DELETE'])(
    'should not repeat what a redirect may have made a GET of, once the server had accepted it: %s',
    async (method) => {
      const { token$, asked } = await warmTokens();
      const refused = Object.defineProperties(new Response('no', { status: 401 }), {
        redirected: { value: true },
        url: { value: 'https://api.example.com/orders/7' },
      });
      const { fetch, calls } = stubFetch(refused, 200);
      const fetchWithToken = browser.createFetch(token$, { baseUrl: 'https://api.example.com', fetch });
      const response = await fetchWithToken('/orders', { method });
      expect([response.status, await response.text(), calls.length]).toEqual([401, 'no', 1]);
      await fetchWithToken('/orders/8');
      expect([calls[1]!.headers.get('authorization'), asked.length]).toEqual(['Bearer T2', 2]);
    },
  );
});

describe('redirects', () => {
  it.each(['document', 'importScripts'])(
    'should be left to the platform where there is a global %s, as in pages and their workers',
    async (name) => {
      Object.assign(globalThis, { [name]: () => undefined });
      try {
        await jest.isolateModulesAsync(async () => {
          const { mode } = (await import('../../src/http/transport.js')).redirectPolicy;
          expect([mode(true), mode(false)]).toEqual(['follow', 'error']);
        });
      } finally {
        Reflect.deleteProperty(globalThis, name);
      }
    },
  );
});

it('should work where there is no FinalizationRegistry, as in React Native', async () => {
  const { FinalizationRegistry } = globalThis;
  Reflect.deleteProperty(globalThis, 'FinalizationRegistry');
  try {
    await jest.isolateModulesAsync(async () => {
      const native = await import('rx-fresh-token');
      const { token$ } = await warmTokens();
      const { fetch } = stubFetch(() => new Response('{}'));
      const http = native.createHttpClient(token$, { baseUrl: 'https://api.example', fetch });
      const { signal } = new AbortController();
      expect((await firstValueFrom(http.request('/', { signal }))).status).toBe(200);
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    });
  } finally {
    globalThis.FinalizationRegistry = FinalizationRegistry;
  }
});

describe('in React Native', () => {
  const platform = globalThis as { URL: unknown; FormData: unknown };
  const { URL, FormData } = platform;
  afterEach(() => {
    Object.assign(platform, { URL, FormData });
  });

  it.each([
    ['https://api.example.com', '/orders?open=1', 'https://api.example.com/orders?open=1'],
    ['https://api.example.com', 'orders', 'https://api.example.com/orders'],
    ['https://api.example.com/v1', '/orders', 'https://api.example.com/v1/orders'],
    ['https://api.example.com/v1', '/documents:commit', 'https://api.example.com/v1/documents:commit'],
    ['https://api.example.com/v1/', 'orders', 'https://api.example.com/v1/orders'],
    ['https://api.example.com/v1', '', 'https://api.example.com/v1'],
    ['https://api.example.com/v1', '?open=1', 'https://api.example.com/v1?open=1'],
  ])('should join %s and %s, although its URL resolves nothing', async (baseUrl, path, expected) => {
    platform.URL = NativeUrl;
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(200);
    await createFetch(token$, { baseUrl, fetch })(path);
    expect(calls.map(({ input }) => input)).toEqual([expected]);
  });

  it('should send a form as it is, although its class has no tag', async () => {
    class NativeForm {
      readonly parts: unknown[] = [];
      append(...part: unknown[]): void {
        this.parts.push(part);
      }
    }
    platform.FormData = NativeForm;
    const { token$ } = await warmTokens();
    const sent: RequestInit[] = [];
    const http = createHttpClient(token$, {
      baseUrl: 'https://api.example.com',
      headers: { 'content-type': 'application/json' },
      fetch: (_input, init) => {
        sent.push(init!);
        return Promise.resolve(new Response('{}'));
      },
    });
    const form = new NativeForm();
    form.append('photo', { uri: 'file:///photo.jpg' });
    await firstValueFrom(http.post('/photos', form));
    expect(sent.map(({ body }) => body)).toEqual([form]);
    expect(sent[0]!.body).toBe(form);
    expect(new Headers(sent[0]!.headers).has('content-type')).toBe(false);
  });
});
