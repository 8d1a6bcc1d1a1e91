import { firstValueFrom, NEVER, of, Subject, timer } from 'rxjs';
import { createTokenStream, isTokenError, type TokenEvent, type TokenStore } from 'rx-fresh-token';

describe('a store whose session was ended by someone else', () => {
  function setUp() {
    const signedOut = new Subject<unknown>();
    let asked = 0;
    const signOut = jest.fn();
    const store: TokenStore = {
      refresh: () =>
        of({ response: { access_token: `T${String(++asked)}`, expires_in: 60 }, age: 0, origin: 'shared' }),
      signedOut,
      signOut,
    };
    const token$ = createTokenStream(() => NEVER, { store, idleTimeout: 0 });
    const events: TokenEvent['type'][] = [];
    token$.events.subscribe(({ type }) => events.push(type));
    return { signedOut, token$, events, signOut };
  }

  it('should end that of its streams, idle ones too, and leave them open', async () => {
    const { signedOut, token$, events, signOut } = setUp();
    await firstValueFrom(token$);
    signedOut.next(null);
    expect(token$.current).toBeNull();
    expect(events.at(-1)).toBe('signedOut');
    expect((await firstValueFrom(token$)).value).toBe('T2');
    // What someone else has ended is not ended again.
    expect(signOut).not.toHaveBeenCalled();
    token$.close();
  });

  it('should be told once of a sign-out here', async () => {
    const { token$, events, signOut } = setUp();
    await firstValueFrom(token$);
    token$.signOut();
    token$.signOut();
    // This store tells the others only: the stream ends its session itself.
    expect(token$.current).toBeNull();
    expect(events.filter((type) => type === 'signedOut')).toHaveLength(1);
    expect(signOut).toHaveBeenCalled();
    expect((await firstValueFrom(token$)).value).toBe('T2');
    expect(token$.current?.value).toBe('T2');
    token$.close();
  });

  it('should not end the session that a listener begins, when it tells of a sign-out by its own stream, too', async () => {
    const { signedOut, token$, events, signOut } = setUp();
    signOut.mockImplementation(() => {
      signedOut.next(null);
    });
    await firstValueFrom(token$);
    const values: string[] = [];
    token$.events.subscribe(({ type }) => {
      if (type === 'signedOut') token$.subscribe(({ value }) => values.push(value));
    });
    token$.signOut();
    const { current } = token$;
    token$.close();
    expect([values, current?.value]).toEqual([['T2'], 'T2']);
    expect(events.filter((type) => type === 'signedOut')).toHaveLength(1);
  });

  it('should be unsubscribed by a stream that closes', () => {
    const { signedOut, token$ } = setUp();
    expect(signedOut.observed).toBe(true);
    token$.close();
    expect(signedOut.observed).toBe(false);
  });

  it('should end the session of a stream that starts from a token of it', () => {
    const store: TokenStore = { refresh: () => NEVER, signedOut: of(null) };
    const token$ = createTokenStream(() => NEVER, { store, initial: { access_token: 'T0', expires_in: 60 } });
    expect(token$.current).toBeNull();
    token$.close();
  });

  it('should be reported when it fails, and end nothing', async () => {
    const { signedOut, token$, events } = setUp();
    await firstValueFrom(token$);
    signedOut.error(new Error('no'));
    await firstValueFrom(timer(2));
    expect(events.at(-1)).toBe('refreshFailed');
    expect(token$.current?.value).toBe('T1');
    token$.close();
    const failure: unknown = await firstValueFrom(token$).catch((error: unknown) => error);
    expect(isTokenError(failure, 'ERR_TOKEN_STREAM_CLOSED')).toBe(true);
  });
});
