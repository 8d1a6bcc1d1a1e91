import { AsyncLocalStorage } from 'node:async_hooks';
import { firstValueFrom, Subject, take } from 'rxjs';
import { createFetch, createHttpClient, type TokenResponse, type TokenStream } from 'rx-fresh-token';
import { cleanUp, tokens, until } from './support.js';

afterEach(cleanUp);

const tenant = new AsyncLocalStorage<string>();
const baseUrl = 'https://api.example';

type Call = (token$: TokenStream, fetch: typeof globalThis.fetch, path: string) => Promise<unknown>;
const calls: [string, Call][] = [
  ['createFetch', (token$, fetch, path) => createFetch(token$, { baseUrl, fetch })(path)],
  ['http.request', (token$, fetch, path) => firstValueFrom(createHttpClient(token$, { baseUrl, fetch }).request(path))],
  ['http.get', (token$, fetch, path) => firstValueFrom(createHttpClient(token$, { baseUrl, fetch }).get(path))],
  [
    'http.post',
    (token$, fetch, path) => firstValueFrom(createHttpClient(token$, { baseUrl, fetch }).post(path, { a: 1 })),
  ],
];

/** A fetch that notes in whose context it is called. */
function contextFetch(answer: (n: number) => Response) {
  const contexts: string[] = [];
  const fetch = ((input: string) =>
    Promise.resolve(
      answer(contexts.push(`${new URL(input).pathname.slice(1)} in ${String(tenant.getStore())}`)),
    )) as typeof globalThis.fetch;
  return { fetch, contexts };
}

describe.each(calls)('the asynchronous context of the caller of %s', (_name, call) => {
  const asTenant = async (name: string, token$: TokenStream, fetch: typeof globalThis.fetch) =>
    tenant.run(name, async () => {
      await call(token$, fetch, `/${name}`);
      return `${name} in ${String(tenant.getStore())}`;
    });

  it('should be that of its request, for two who wait for one token', async () => {
    const arrives = new Subject<TokenResponse>();
    const { token$ } = tokens({}, () => arrives.pipe(take(1)));
    const { fetch, contexts } = contextFetch(() => Response.json({}));
    const answered = Promise.all([asTenant('a', token$, fetch), asTenant('b', token$, fetch)]);
    await new Promise(setImmediate);
    arrives.next({ access_token: 'T1', expires_in: 60 });
    expect(await answered).toEqual(['a in a', 'b in b']);
    expect(contexts).toEqual(['a in a', 'b in b']);
  });

  it('should be that of its repeat, for two who wait for one refresh', async () => {
    const arrives = new Subject<TokenResponse>();
    const { token$, asked } = tokens({}, (_request, n) =>
      n === 1 ? [{ access_token: 'T1', expires_in: 60 }] : arrives.pipe(take(1)),
    );
    await firstValueFrom(token$);
    const { fetch, contexts } = contextFetch((n) => (n > 2 ? Response.json({}) : new Response(null, { status: 401 })));
    const answered = Promise.all([asTenant('a', token$, fetch), asTenant('b', token$, fetch)]);
    await until(() => asked.length === 2);
    await new Promise(setImmediate);
    arrives.next({ access_token: 'T2', expires_in: 60 });
    expect(await answered).toEqual(['a in a', 'b in b']);
    expect(contexts).toEqual(['a in a', 'b in b', 'a in a', 'b in b']);
  });
});
