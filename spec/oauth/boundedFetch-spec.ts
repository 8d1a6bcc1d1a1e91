import crossFetch from 'cross-fetch';
import { boundedFetch } from '../../src/oauth/endpoint/boundedFetch.js';
import { isPermanentFailure } from '../../src/answers/isPermanentFailure.js';
import { failureOf } from '../http/support.js';
import { answer, hostileServer, LEAK, type Misdeed } from './hostileServer.js';

const post = { method: 'POST', redirect: 'manual', body: new URLSearchParams({ a: 'b' }), headers: {} } as const;
const ask = (url: string, send?: typeof fetch, signal?: AbortSignal) =>
  boundedFetch('the endpoint', send)(url, { ...post, signal });
const fake =
  (response: unknown): typeof fetch =>
  () =>
    Promise.resolve(response as Response);
const response = (more: object) => ({
  status: 200,
  headers: new Headers(),
  body: null,
  text: () => Promise.resolve(''),
  redirected: false,
  type: 'basic',
  ...more,
});

async function withServer<T>(
  misdeed: Misdeed,
  use: (url: string, requests: readonly string[]) => Promise<T>,
): Promise<T> {
  const server = await hostileServer(misdeed);
  try {
    return await use(server.origin, server.requests);
  } finally {
    await server.stop();
  }
}

describe.each([
  ['the native fetch', fetch],
  ['cross-fetch', crossFetch],
])('with %s', (_name, send) => {
  it('should hand on status, body and the headers that matter', () =>
    withServer(
      answer(
        '{"a":1}',
        {
          'dpop-nonce': 'n1',
          'retry-after': '3',
          date: 'Sun, 06 Nov 1994 08:49:37 GMT',
          'www-authenticate': 'Basic',
          'x-rate-limit-reset': '5',
        },
        '400 Bad Request',
      ),
      async (url, requests) => {
        const got = await ask(url, send);
        expect(got.status).toBe(400);
        expect(await got.json()).toEqual({ a: 1 });
        expect(Object.fromEntries(got.headers)).toEqual({
          'content-type': 'application/json',
          date: 'Sun, 06 Nov 1994 08:49:37 GMT',
          'dpop-nonce': 'n1',
          'retry-after': '3',
          'www-authenticate': 'Basic',
          'x-rate-limit-reset': '5',
        });
        expect(requests[0]).toMatch(/a=b$/);
      },
    ));

  it('should follow no redirect', () =>
    withServer(answer('', { location: '/elsewhere' }, '307 Temporary Redirect'), async (url, requests) => {
      await expect(ask(url, send)).rejects.toThrow('redirect (307), which is never followed');
      expect(requests).toHaveLength(1);
    }));

  it('should settle when the signal aborts', () =>
    withServer(answer('{', { 'content-length': '99' }), async (url) => {
      const controller = new AbortController();
      const sendThenAbort: typeof fetch = async (...request) => {
        const response = await send(...request);
        setTimeout(() => {
          controller.abort();
        });
        return response;
      };
      await expect(ask(url, sendThenAbort, controller.signal)).rejects.toThrow(
        'its body did not end before the request was aborted',
      );
    }));

  it('should say that nobody is there', async () => {
    const url = await withServer(answer(''), (origin) => Promise.resolve(origin));
    await expect(ask(url, send)).rejects.toMatchObject({
      message: expect.stringContaining('could not be reached (ECONNREFUSED)') as string,
      cause: { code: 'ECONNREFUSED' },
    });
  });
});

it('should say that fetch refuses the port', async () => {
  await expect(ask('http://localhost:10080/token', fetch)).rejects.toThrow(
    'the endpoint could not be reached (bad port)',
  );
});

describe('the cache, of which Next.js has one for a POST, too', () => {
  const initOf = async (init: Parameters<ReturnType<typeof boundedFetch>>[1]) => {
    const sent: (RequestInit | undefined)[] = [];
    const send: typeof fetch = (_url, given) => {
      sent.push(given);
      return Promise.resolve(new Response('{}'));
    };
    await boundedFetch('the endpoint', send)('https://id.example/token', init);
    return sent[0];
  };

  it('should keep no token', async () => {
    expect(await initOf(post)).toMatchObject({ method: 'POST', cache: 'no-store' });
  });

  it('should not be told of it on Cloudflare Workers, which refused the field for years', async () => {
    const navigator = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
    Object.defineProperty(globalThis, 'navigator', { value: { userAgent: 'Cloudflare-Workers' }, configurable: true });
    try {
      expect(await initOf(post)).not.toHaveProperty('cache');
    } finally {
      if (navigator) Object.defineProperty(globalThis, 'navigator', navigator);
      else Reflect.deleteProperty(globalThis, 'navigator');
    }
  });

  it('should keep the discovery document, if it likes to', async () => {
    expect(await initOf({ method: 'GET', redirect: 'manual', headers: {}, body: undefined })).not.toHaveProperty(
      'cache',
    );
  });
});

it('should pass on what a page of Next.js must end with', async () => {
  const dynamic = Object.assign(new Error('Dynamic server usage: no-store'), { digest: 'DYNAMIC_SERVER_USAGE' });
  await expect(ask('https://id.example/token', () => Promise.reject(dynamic))).rejects.toBe(dynamic);
});

describe('with a fetch from outside', () => {
  it.each<[string, typeof fetch, string]>([
    [
      'one that follows redirects all the same',
      fake(response({ redirected: true })),
      'was redirected, and fetch followed although it was told not to',
    ],
    [
      'one that follows redirects and tells of it by the URL alone, as that of React Native',
      fake(response({ redirected: undefined, url: 'https://evil.example/token' })),
      'was redirected, and fetch followed although it was told not to',
    ],
    [
      'a browser, which hides redirects',
      fake(response({ status: 0, type: 'opaqueredirect' })),
      'answered with a redirect, which is never followed',
    ],
    [
      'one that throws',
      () => {
        throw new Error(LEAK);
      },
      'could not be reached (Error)',
    ],
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- that is the point
    ['one that rejects with nothing', () => Promise.reject(undefined), 'could not be reached (unknown)'],
    [
      'a body that fails',
      fake(new Response(new ReadableStream({ start: (c) => c.error(new Error(LEAK)) }))),
      'answered 200 with no content type, but its body broke off (Error)',
    ],
  ])('should name the trouble: %s', async (_what, send, message) => {
    const error = await ask('https://id.example/token?secret', send).catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject({ name: 'TokenEndpointError', message: expect.stringContaining(message) as string });
    expect((error as Error).message).not.toContain('secret');
  });

  it('should hand over the form as text, since the fetch of React Native drops URLSearchParams', async () => {
    const bodies: unknown[] = [];
    await ask('https://id.example/token', (_url, init) => {
      bodies.push(init?.body);
      return Promise.resolve(new Response());
    });
    expect(bodies).toEqual(['a=b']);
  });

  it.each<[string, object]>([
    ['names no URL', { redirected: undefined, url: undefined }],
    ['names an empty URL', { redirected: undefined, url: '' }],
    ['writes the URL in another way', { redirected: undefined, url: 'HTTPS://id.example:443/token' }],
    ['asks another server, as it was written to do', { url: 'http://localhost:8080/token' }],
  ])('should take an answer for no redirect when the fetch %s', async (_what, more) => {
    await expect(ask('https://id.example/token', fake(response(more)))).resolves.toMatchObject({ status: 200 });
  });

  it.each<[string, typeof fetch, string]>([
    ['gives nothing', fake(undefined), 'gave no Response'],
    ['gives no promise', (() => undefined) as unknown as typeof fetch, 'gave no Response'],
    ['gives a number', (() => 5) as unknown as typeof fetch, 'gave no Response'],
    ['gives the parsed body', fake({ data: LEAK }), 'gave no Response'],
    [
      'has read the body, for a log',
      async () => {
        const read = new Response(`{"access_token":"${LEAK}"}`);
        await read.text();
        return read;
      },
      'gave a Response whose body has been read',
    ],
  ])('should fail permanently when the option "fetch" %s', async (_what, send, message) => {
    const error = await failureOf(ask('https://id.example/token?secret', send));
    expect(error.message).toBe(`option "fetch" ${message}`);
    expect(isPermanentFailure(error)).toBe(true);
  });

  it('should settle when the signal aborts, though the fetch does not heed it', async () => {
    const never: typeof fetch = () => new Promise(() => undefined);
    await expect(ask('https://id.example', never, AbortSignal.timeout(10))).rejects.toThrow(
      'did not answer before the request was aborted',
    );
    await expect(ask('https://id.example', never, AbortSignal.abort())).rejects.toThrow(
      'did not answer before the request was aborted',
    );
  });

  it('should take no header for one that is undefined', async () => {
    const headers = new Map([['content-type', 'application/json']]);
    const got = await ask('https://id.example', fake(response({ headers })));
    expect(Object.fromEntries(got.headers)).toEqual({ 'content-type': 'application/json' });
  });

  it('should read a response that has no stream', async () => {
    const got = await ask(
      'https://id.example',
      fake(response({ body: undefined, text: () => Promise.resolve('{"a":1}') })),
    );
    expect(await got.json()).toEqual({ a: 1 });
  });

  it('should let go of the body of a redirect', async () => {
    const cancel = jest.fn();
    await expect(
      ask('https://id.example', fake(response({ status: 302, body: new ReadableStream({ cancel }) }))),
    ).rejects.toThrow('redirect');
    expect(cancel).toHaveBeenCalledTimes(1);
  });
});
