import { config, NEVER, Observable } from 'rxjs';
import { createTokenStream, type TokenEvent, type TokenStore, type TokenStreamOptions } from 'rx-fresh-token';

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
