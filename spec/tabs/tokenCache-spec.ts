import { createTokenCache } from '../../src/tabs/tokenCache.js';
import { jwt } from '../jwt.js';

const token = (access_token: string, expires_in?: number) => ({ access_token, expires_in });

/** A cache whose clocks the test moves. */
function setUp() {
  const time = { ticks: 0, wall: 1_000_000 };
  const pass = (ms: number, asleep = 0) => {
    time.ticks += ms;
    time.wall += ms + asleep;
  };
  return { time, pass, cache: createTokenCache(undefined, { ticks: () => time.ticks, wall: () => time.wall }) };
}

describe('the cache of a tab', () => {
  it('should count the age of a token by whichever clock says more', () => {
    const { cache, pass, time } = setUp();
    cache.add(token('T1', 60), 1000);
    pass(2000);
    expect(cache.get()?.age).toBe(3000);
    pass(0, 5000);
    expect(cache.get()?.age).toBe(8000);
    time.wall -= 3_600_000;
    pass(1000);
    expect(cache.get()?.age).toBe(4000);
    expect(cache.get()?.origin).toBe('shared');
  });

  it('should keep the youngest', () => {
    const { cache, pass } = setUp();
    expect(cache.add(token('T1', 60), 1000)).toBe(true);
    pass(1000);
    expect(cache.add(token('T0', 60), 2000)).toBe(false);
    expect(cache.add(token('T2', 60), 1999)).toBe(true);
    expect(cache.get()?.response.access_token).toBe('T2');
  });

  it('should take the same token again only if it is clearly younger', () => {
    const { cache } = setUp();
    cache.add(token('T1', 60), 5000);
    expect(cache.add(token('T1', 60), 4000)).toBe(false);
    expect(cache.add(token('T1', 60), 3999)).toBe(true);
  });

  it.each([
    [60, 58_499, true],
    [60, 58_500, false],
    [2, 999, true],
    [2, 1000, false],
    [undefined, 1e12, true],
  ])('should give out a token of %p s at the age of %d ms: %p', (seconds, age, given) => {
    const { cache } = setUp();
    cache.add(token('T1', seconds), age);
    expect(cache.get() !== null).toBe(given);
  });

  it('should count the life of a JWT that says no more from when it was asked for', () => {
    const { cache, time } = setUp();
    const exp = time.wall / 1000 + 60;
    cache.add(token(jwt({ exp })), 30_000);
    expect(cache.get()?.age).toBe(30_000);
  });

  it('should believe the option `lifetime` before the response', () => {
    const cache = createTokenCache(({ access_token }) => (access_token === 'T1' ? 10_000 : undefined), {
      ticks: () => 0,
      wall: () => 0,
    });
    cache.add(token('T1', 60), 8500);
    expect(cache.get()).toBeNull();
    cache.add(token('T2', 60), 8499);
    expect(cache.get()?.response.access_token).toBe('T2');
  });

  it('should neither give out nor take what was refused, until it is fetched again', () => {
    const { cache } = setUp();
    cache.add(token('T1', 60), 0);
    cache.reject('T1');
    expect(cache.get()).toBeNull();
    expect(cache.add(token('T1', 60), 0)).toBe(false);
    cache.clear();
    cache.add(token('T1', 60), 0);
    expect(cache.get()?.response.access_token).toBe('T1');
  });

  it('should remember the last response, over and refused as it may be', () => {
    const { cache, pass } = setUp();
    expect(cache.lastResponse()).toBeNull();
    cache.add(token('T1', 60), 0);
    cache.reject('T1');
    pass(120_000);
    expect(cache.get()).toBeNull();
    expect(cache.lastResponse()).toMatchObject({ response: { access_token: 'T1' }, age: 120_000 });
  });

  it('should remember a response that is newer than its token, and never give that out', () => {
    const { cache, pass } = setUp();
    cache.addResponse(token('T2', 60), 1000);
    expect([cache.get(), cache.lastResponse()?.response.access_token]).toEqual([null, 'T2']);
    expect(cache.add(token('T1', 60), 2000)).toBe(true);
    expect([cache.get()?.response.access_token, cache.lastResponse()?.response.access_token]).toEqual(['T1', 'T2']);
    pass(10);
    cache.addResponse(token('T3', 60), 1010);
    expect(cache.lastResponse()?.response.access_token).toBe('T2');
    cache.reject('T4');
    expect(cache.add(token('T4', 60), 0)).toBe(false);
    expect(cache.lastResponse()?.response.access_token).toBe('T4');
    cache.clear();
    expect(cache.lastResponse()).toBeNull();
  });

  it('should give nothing to one who wants another than it has', () => {
    const { cache } = setUp();
    expect(cache.get()).toBeNull();
    cache.add(token('T1', 60), 0);
    expect(cache.get('T1')).toBeNull();
    expect(cache.get('T0')?.response.access_token).toBe('T1');
  });

  it('should give the same token again to one who knows it from before its renewal', () => {
    const { cache, pass } = setUp();
    cache.add(token('T1', 60), 0);
    const known = cache.newest();
    expect(cache.get('T1', known)).toBeNull();
    pass(5000);
    cache.add(token('T1', 60), 0);
    expect(cache.get('T1', known)).toMatchObject({ age: 0 });
    expect(cache.get('T1', cache.newest())).toBeNull();
    cache.reject('T1');
    expect(cache.get('T1', known)).toBeNull();
  });
});
