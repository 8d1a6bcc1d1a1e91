import { createFetch } from 'rx-fresh-token';
import { cleanUp, failureOf, warmTokens } from './support.js';

afterEach(cleanUp);

async function sentWith(headers: HeadersInit): Promise<string | null> {
  const { token$ } = await warmTokens();
  let authorization: string | null = null;
  const send = (_url: unknown, init?: RequestInit) => {
    authorization = new Headers(init?.headers).get('authorization');
    return Promise.resolve(new Response('{}'));
  };
  await createFetch(token$, { baseUrl: 'https://api.example', fetch: send })('/', { headers });
  return authorization;
}

it.each<[string, HeadersInit, string]>([
  ['another header of as many letters', { 'cache-control': 'no-cache' }, 'Bearer T1'],
  ['their own, whatever its letters', { AuthoriZation: 'Basic abc' }, 'Basic abc'],
  [
    'their own among others, in a list',
    [
      ['accept', '*/*'],
      ['Authorization', 'Basic abc'],
    ],
    'Basic abc',
  ],
  ['none, in a list', [['accept', '*/*']], 'Bearer T1'],
])(
  'a request should carry the token unless its caller set an Authorization header: %s',
  async (_what, headers, carried) => {
    await expect(sentWith(headers)).resolves.toBe(carried);
  },
);

it.each(['https://user@api.example/', 'https://:word@api.example/'])(
  'a URL with a part of credentials should be refused: %s',
  async (url) => {
    const { token$ } = await warmTokens();
    const error = await failureOf(
      createFetch(token$, { baseUrl: 'https://api.example', fetch: () => Promise.reject(new Error('sent')) })(url),
    );
    expect(error.message).toMatch(/must not contain credentials/);
  },
);
