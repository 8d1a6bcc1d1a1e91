import { of } from 'rxjs';
import { createFetch, type TokenStream } from 'rx-fresh-token';
import { createTokenPool } from 'rx-fresh-token/pool';

const setUp = () => createTokenPool((key: string) => () => of({ access_token: `T-${key}`, expires_in: 60 }));

/** As dev modes of stores do: every named member, hidden ones too. */
function freeze<T extends object>(value: T): T {
  Object.freeze(value);
  for (const name of Object.getOwnPropertyNames(value)) {
    const member: unknown = Reflect.get(value, name);
    if (typeof member === 'object' && member !== null && !Object.isFrozen(member)) freeze(member);
  }
  return value;
}

function valueOf(token$: TokenStream): string | undefined {
  let value: string | undefined;
  token$.subscribe((token) => (value = token.value)).unsubscribe();
  return value;
}

describe('the stream of a key', () => {
  it('should be equal to that of no other key, for whoever compares their members', () => {
    const pool = setUp();
    expect(pool.get('a')).not.toEqual(pool.get('b'));
    pool.close();
  });

  it.each(['events', 'refresh', 'reject', 'signOut', 'close'] as const)('should have the same %s each time', (name) => {
    const pool = setUp();
    const token$ = pool.get('a');
    expect(token$[name]).toBe(token$[name]);
    pool.close();
  });

  it('should work, as those of the other keys, after the state that it is in was frozen', () => {
    const pool = setUp();
    const { token$ } = freeze({ token$: pool.get('a') });
    expect([valueOf(token$), valueOf(pool.get('b')), token$.current?.value]).toEqual(['T-a', 'T-b', 'T-a']);
    token$.signOut();
    expect(token$.current).toBeNull();
    pool.close();
  });

  it.each(['refresh', 'reject', 'signOut', 'close'] as const)(
    'should let a test put a spy in the place of %s',
    (name) => {
      const pool = setUp();
      const spy = jest.spyOn(pool.get('a'), name).mockReturnValue(undefined);
      void pool.get('a')[name](null as never);
      expect(spy).toHaveBeenCalledTimes(1);
      spy.mockRestore();
      expect(valueOf(pool.get('a'))).toBe('T-a');
      pool.close();
    },
  );

  it('should let a test put a spy in the place of the getter of current', () => {
    const pool = setUp();
    valueOf(pool.get('a'));
    const spy = jest.spyOn(pool.get('a'), 'current', 'get').mockReturnValue(null);
    expect(pool.get('a').current).toBeNull();
    spy.mockRestore();
    expect(pool.get('a').current?.value).toBe('T-a');
    pool.close();
  });

  it('should have members that work by themselves', () => {
    const pool = setUp();
    const { refresh, signOut } = pool.get('a');
    refresh().subscribe();
    expect(pool.get('a').current?.value).toBe('T-a');
    signOut();
    expect(pool.get('a').current).toBeNull();
    pool.close();
  });

  it('should be told from its copies, which are no streams', () => {
    const pool = setUp();
    const token$ = pool.get('a');
    const copy = Object.assign(Object.create(Object.getPrototypeOf(token$) as object) as TokenStream, token$);
    expect(() => createFetch(copy, { baseUrl: 'https://api.example.com' })).toThrow(
      'token$ must be a stream made by createTokenStream',
    );
    expect(() => structuredClone(token$)).toThrow('could not be cloned');
    pool.close();
  });
});
