import { firstValueFrom } from 'rxjs';
import {
  createFetch,
  createHttpClient,
  createTokenStream,
  takeToken,
  withToken,
  type TokenStream,
} from 'rx-fresh-token';
import { createTokenPool } from 'rx-fresh-token/pool';

/** What Vue makes of reactive state: each object that is read from it is a Proxy as well, but no frozen one. */
function reactive<T extends object>(target: T): T {
  return new Proxy(target, {
    get: (of, key, receiver) => {
      const value: unknown = Reflect.get(of, key, receiver);
      return typeof value === 'object' && value !== null && Object.isExtensible(value) ? reactive(value) : value;
    },
  });
}

const source = () => Promise.resolve({ access_token: 'T1', expires_in: 3600 });
const options = { baseUrl: 'https://api.example.com', fetch: () => Promise.resolve(Response.json(1)) };

describe.each<[string, () => { token$: TokenStream; close: () => void }]>([
  [
    'createTokenStream',
    () => {
      const state = reactive({ token$: createTokenStream(source) });
      return { token$: state.token$, close: () => state.token$.close() };
    },
  ],
  [
    'a pool',
    () => {
      const pool = createTokenPool(() => source);
      return { token$: reactive({ token$: pool.get('a') }).token$, close: () => pool.close() };
    },
  ],
])('a stream of %s in reactive state', (_kind, setUp) => {
  it.each<[string, (token$: TokenStream) => Promise<unknown>, unknown]>([
    ['a subscriber', async (token$) => (await firstValueFrom(token$)).value, 'T1'],
    ['takeToken', async (token$) => (await firstValueFrom(takeToken(token$))).value, 'T1'],
    ['withToken', (token$) => firstValueFrom(token$.pipe(withToken(({ value }) => [value]))), 'T1'],
    ['refresh()', async (token$) => (await firstValueFrom(token$.refresh())).value, 'T1'],
    ['createFetch', async (token$) => (await createFetch(token$, options)('/a')).text(), '1'],
    ['createHttpClient', (token$) => firstValueFrom(createHttpClient(token$, options).get('/a')), 1],
    [
      'events',
      async (token$) => {
        const event = firstValueFrom(token$.events);
        token$.subscribe().unsubscribe();
        return (await event).type;
      },
      'refreshStarted',
    ],
  ])('should serve %s', async (_use, use, expected) => {
    const { token$, close } = setUp();
    expect(await use(token$)).toEqual(expected);
    token$.signOut();
    expect(token$.current).toBeNull();
    close();
  });

  it('should be left as it is by Vue, whose readonly() would make its Subjects deaf', () => {
    const { token$, close } = setUp();
    expect(token$).toHaveProperty('__v_skip', true);
    close();
  });
});
