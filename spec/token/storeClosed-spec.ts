import { EMPTY, firstValueFrom, NEVER, of, Subject } from 'rxjs';
import { createTokenStream, isTokenError, type TokenEvent, type TokenStore } from 'rx-fresh-token';

describe('a store that was closed for all', () => {
  function setUp() {
    const closed = new Subject<unknown>();
    const store: TokenStore = {
      refresh: () => of({ response: { access_token: 'T1', expires_in: 60 }, age: 0, origin: 'shared' }),
      closed,
    };
    const token$ = createTokenStream(() => NEVER, { store, idleTimeout: 0 });
    const events: TokenEvent['type'][] = [];
    token$.events.subscribe(({ type }) => events.push(type));
    return { closed, token$, events };
  }

  it('should close its streams, idle ones too', async () => {
    const { closed, token$, events } = setUp();
    await firstValueFrom(token$);
    closed.next(null);
    expect(token$.current).toBeNull();
    expect(events.at(-1)).toBe('closed');
    const failure: unknown = await firstValueFrom(token$).catch((error: unknown) => error);
    expect(isTokenError(failure, 'ERR_TOKEN_STREAM_CLOSED')).toBe(true);
  });

  it('should be let go by a stream that closes by itself', () => {
    const { closed, token$ } = setUp();
    expect(closed.observed).toBe(true);
    token$.close();
    expect(closed.observed).toBe(false);
  });

  it('should close a stream at its creation, if it was closed before', () => {
    const store: TokenStore = { refresh: () => EMPTY, closed: of(null) };
    expect(() => {
      createTokenStream(() => NEVER, { store }).reject({ value: 'T1' } as never);
    }).toThrow('the token stream is closed');
  });

  it('should be reported when it fails, and close nothing', () => {
    const { closed, token$, events } = setUp();
    closed.error(new Error('no'));
    expect(events).toEqual(['refreshFailed']);
    token$.close();
  });
});
