import { Readable } from 'node:stream';
import { createFetch } from 'rx-fresh-token';
import type * as browserTransport from '../../src/http/transport.browser.js';
import { byPlatform } from '../../src/http/byPlatform.js';
import { byHand } from '../../src/http/follow.js';
import { platformFetch, platformHeaders, redirectPolicy } from '../../src/http/transport.js';
import * as browser from '../../src/http/transport.browser.js';
import { answer, cleanUp, guarded, serve, tokens, warmTokens } from './support.js';

const { fetch, Headers } = globalThis;

afterEach(async () => {
  jest.restoreAllMocks();
  Object.assign(globalThis, { fetch, Headers });
  await cleanUp();
});

/** As on a Node that runs with `--no-experimental-fetch`. */
function withoutGlobals(): void {
  Object.assign(globalThis, { fetch: undefined, Headers: undefined });
}

describe.each<[string, Pick<typeof browserTransport, 'platformFetch' | 'platformHeaders'>]>([
  ['Node', { platformFetch, platformHeaders: platformHeaders as typeof browserTransport.platformHeaders }],
  ['browsers', browser],
])('the transport of %s', (_platform, transport) => {
  it('should be the global fetch as it was when it was asked for, called without a receiver', async () => {
    const response = new Response('x');
    const spy = jest.spyOn(globalThis, 'fetch').mockResolvedValue(response);
    const send = transport.platformFetch();
    Object.assign(globalThis, { fetch: () => Promise.reject(new Error('another one')) });
    const init = { method: 'PUT' };
    expect(await send('https://api.example.com/', init)).toBe(response);
    expect(spy.mock.calls).toEqual([['https://api.example.com/', init]]);
    expect(spy.mock.contexts).toEqual([undefined]);
  });

  it('should know the global Headers', () => {
    expect(transport.platformHeaders()).toBe(Headers);
  });
});

describe('redirects', () => {
  it('should be followed by hand on Node, and by the platform in browsers', () => {
    expect(redirectPolicy).toBe(byHand);
    expect(browser.redirectPolicy).toBe(byPlatform);
  });
});

it('should say that a Request is of another library, which fetch takes for the text of a URL', async () => {
  const { token$ } = await warmTokens();
  const { Request: OtherRequest } = await import('cross-fetch');
  const fetchWithToken = createFetch(token$, { baseUrl: 'http://127.0.0.1:9' });
  await expect(fetchWithToken(new OtherRequest('http://127.0.0.1:9/a'))).rejects.toThrow(
    new TypeError('fetch cannot send a Request of another library: take both from the same one (option "fetch")'),
  );
});

describe('without a global fetch', () => {
  it("should be cross-fetch's", async () => {
    const api = await serve(guarded('T2'));
    const { token$ } = tokens();
    withoutGlobals();
    const fetchWithToken = createFetch(token$, { baseUrl: api.origin });
    const response = await fetchWithToken('/a', { method: 'POST', body: 'order', headers: [['x-trace', '7']] });
    expect(await response.text()).toBe('hello T2');
    expect(api.seen.map(({ headers, body }) => [headers['x-trace'], headers.authorization, body.toString()])).toEqual([
      ['7', 'Bearer T1', 'order'],
      ['7', 'Bearer T2', 'order'],
    ]);
    const Ponyfill = await platformHeaders();
    expect(new Ponyfill({ A: '1' }).get('a')).toBe('1');
  });

  it('should call a custom authorize with its Headers', async () => {
    const api = await serve(({ headers }, response) => {
      answer(response, 200, String(headers['x-key']));
    });
    const { token$ } = await warmTokens();
    withoutGlobals();
    const fetchWithToken = createFetch(token$, {
      baseUrl: api.origin,
      authorize: (headers, { value }) => {
        headers.set('x-key', value);
      },
    });
    expect(await (await fetchWithToken('/a')).text()).toBe('T1');
    expect(api.seen).toHaveLength(1);
  });

  it.each<[string, string | Request, BodyInit | undefined]>([
    ['Request', new Request('https://api.example.com/'), undefined],
    ['FormData', 'https://api.example.com/', new FormData()],
    ['Blob', 'https://api.example.com/', new Blob(['x'])],
    ['ReadableStream', 'https://api.example.com/', new Blob(['x']).stream()],
    [
      'AsyncGenerator',
      'https://api.example.com/',
      (async function* () {
        yield await Promise.resolve('x');
      })() as never,
    ],
  ])('should refuse, not send as text, what cross-fetch does not understand: a %s', async (kind, input, body) => {
    withoutGlobals();
    await expect(platformFetch()(input, { method: 'POST', body })).rejects.toThrow(
      new TypeError(`cross-fetch cannot send a native ${kind}: hand in a fetch that can (option "fetch")`),
    );
  });

  it('should send a Node stream', async () => {
    const api = await serve(({ body }, response) => {
      answer(response, 200, body.toString());
    });
    withoutGlobals();
    expect(
      await (
        await platformFetch()(`${api.origin}/a`, { method: 'POST', body: Readable.from(['once']) as never })
      ).text(),
    ).toBe('once');
  });
});
