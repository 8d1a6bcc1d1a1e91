import { config, firstValueFrom, map, NEVER, Observable, of, switchMap, throwError, timer } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import {
  createTokenStream,
  takeToken,
  type TokenEvent,
  type TokenStore,
  type TokenStreamOptions,
} from 'rx-fresh-token';

const stored = { response: { access_token: 'T1' }, age: 0, origin: 'shared' };

describe('close(), where a teardown throws', () => {
  // RxJS reports what a teardown throws as an unhandled error.
  beforeEach(() => {
    config.onUnhandledError = () => undefined;
  });
  afterEach(() => {
    config.onUnhandledError = null;
  });

  const failing$ = new Observable<never>(() => () => {
    throw new Error('teardown');
  });
  const storeWith = (members: Partial<TokenStore>): TokenStreamOptions => ({
    store: { refresh: () => NEVER, ...members },
  });

  it.each<[string, TokenStreamOptions]>([
    ['signedOut of the store', storeWith({ signedOut: failing$ })],
    ['changes of the store', storeWith({ changes: failing$ })],
    ['wake', { wake: failing$ }],
    ['the fetch under way', storeWith({ refresh: () => failing$ })],
  ])('should complete subscribers and events: %s', (_, options) => {
    const token$ = createTokenStream(() => NEVER, options);
    const events: (TokenEvent['type'] | 'complete')[] = [];
    token$.events.subscribe({ next: ({ type }) => events.push(type), complete: () => events.push('complete') });
    const complete = jest.fn();
    token$.subscribe({ complete });
    expect(() => token$.close()).not.toThrow();
    expect(complete).toHaveBeenCalledTimes(1);
    expect(events.slice(-1)).toEqual(['complete']);
    expect(events).toContain('closed');
  });
});

it.each<[string, unknown, string]>([
  ['undefined', undefined, 'returned undefined, not a Promise (make it async) or an Observable'],
  ['null', null, 'returned null, not a Promise (make it async) or an Observable'],
  ['a number', 5, 'returned number, not a Promise (make it async) or an Observable'],
  ['a text', 'T1', 'returned string, not a Promise (make it async) or an Observable'],
  ['a stored token as it is', stored, 'returned object, not a Promise (make it async) or an Observable'],
  ['a promise of nothing', Promise.resolve(), 'returned undefined, not { response, age, origin }'],
  ['an Observable of null', of(null), 'returned null, not { response, age, origin }'],
  ['an Observable of a token response', of(stored.response), 'returned object, not { response, age, origin }'],
])('should fail at once where the store returns %s, and say so', async (_what, returned, message) => {
  const refresh = jest.fn(() => returned as ReturnType<TokenStore['refresh']>);
  const token$ = createTokenStream(() => NEVER, { store: { refresh }, maxWait: 100 });
  await expect(firstValueFrom(takeToken(token$))).rejects.toThrow(`the token store ${message}`);
  expect(refresh).toHaveBeenCalledTimes(1);
  token$.close();
});

it('should report that signedOut of the store fails when the stream is made', async () => {
  const signedOut = throwError(() => new Error('no Redis'));
  const token$ = createTokenStream(() => NEVER, { store: { refresh: () => NEVER, signedOut } });
  expect(await firstValueFrom(token$.events)).toMatchObject({ type: 'refreshFailed', message: 'no Redis' });
  token$.close();
});

it('should not end the session of the other streams of a store after close()', () => {
  const signOut = jest.fn();
  const token$ = createTokenStream(() => NEVER, { store: { refresh: () => NEVER, signOut } });
  token$.close();
  token$.signOut();
  expect(signOut).not.toHaveBeenCalled();
});

it('should report what an async signOut of a store rejects with', async () => {
  const signOut = (): unknown => Promise.reject(new Error('no Redis'));
  const store: TokenStore = { refresh: () => NEVER, signOut };
  const token$ = createTokenStream(() => NEVER, { store });
  const messages: string[] = [];
  token$.events.subscribe((event) => {
    if (event.type === 'refreshFailed') messages.push(event.message);
  });
  token$.signOut();
  await new Promise((resolve) => setTimeout(resolve));
  expect(messages).toEqual(['no Redis']);
  token$.close();
});

it('should not ask the source for a store that was given up before it fetched', async () => {
  let begin = () => undefined as unknown;
  const source = jest.fn(() => NEVER);
  const store: TokenStore = {
    refresh: (_, fetch) =>
      new Promise((resolve, reject) => {
        begin = () => fetch().subscribe({ error: reject, complete: () => reject(new Error('complete')) });
      }),
  };
  const token$ = createTokenStream(source, { store });
  token$.subscribe();
  token$.close();
  begin();
  await new Promise((resolve) => setTimeout(resolve));
  expect(source).not.toHaveBeenCalled();
});

it(
  'should name the store in the message when the source has answered and the store has not',
  marbles((m) => {
    const messages: string[] = [];
    const store: TokenStore = { refresh: (_, fetch) => fetch().pipe(switchMap(() => NEVER)) };
    const source = () => timer(300, m.scheduler).pipe(map(() => ({ access_token: 'T1' })));
    const token$ = createTokenStream(source, { scheduler: m.scheduler, store, fetchTimeout: 1000 });
    token$.events.subscribe((event) => {
      if (event.type === 'refreshFailed') messages.push(`${String(event.at)} ${event.message}`);
    });
    token$.subscribe();
    m.scheduler.schedule(() => {
      token$.close();
    }, 1500);
    m.flush();
    expect(messages).toEqual(['1300 no answer from the token store within 1000 ms']);
  }),
);
