import { createShelf } from '../../src/tabs/shelf.js';

const token = (access_token: string, expires_in?: number) => ({ access_token, expires_in });

/** A shelf whose clocks the test moves. */
function setUp() {
  const time = { ticks: 0, wall: 1_000_000 };
  const pass = (ms: number, asleep = 0) => {
    time.ticks += ms;
    time.wall += ms + asleep;
  };
  return { time, pass, shelf: createShelf({ ticks: () => time.ticks, wall: () => time.wall }) };
}

describe('the shelf', () => {
  it('should count the age of a token by whichever clock says more', () => {
    const { shelf, pass, time } = setUp();
    shelf.put(token('T1', 60), 1000);
    pass(2000);
    expect(shelf.get()?.age).toBe(3000);
    pass(0, 5000);
    expect(shelf.get()?.age).toBe(8000);
    time.wall -= 3_600_000;
    pass(1000);
    expect(shelf.get()?.age).toBe(4000);
    expect(shelf.get()?.origin).toBe('shared');
  });

  it('should keep the youngest', () => {
    const { shelf, pass } = setUp();
    expect(shelf.put(token('T1', 60), 1000)).toBe(true);
    pass(1000);
    expect(shelf.put(token('T0', 60), 2000)).toBe(false);
    expect(shelf.put(token('T2', 60), 1999)).toBe(true);
    expect(shelf.get()?.response.access_token).toBe('T2');
  });

  it('should take the same token again only if it is clearly younger', () => {
    const { shelf } = setUp();
    shelf.put(token('T1', 60), 5000);
    expect(shelf.put(token('T1', 60), 4000)).toBe(false);
    expect(shelf.put(token('T1', 60), 3999)).toBe(true);
  });

  it.each([
    [60, 53_999, true],
    [60, 54_000, false],
    [undefined, 1e12, true],
  ])('should give out a token of %p s at the age of %d ms: %p', (seconds, age, given) => {
    const { shelf } = setUp();
    shelf.put(token('T1', seconds), age);
    expect(shelf.get() !== null).toBe(given);
  });

  it('should believe the option `lifetime` before the response', () => {
    const shelf = createShelf({ ticks: () => 0, wall: () => 0 }, ({ access_token }) =>
      access_token === 'T1' ? 10_000 : undefined,
    );
    shelf.put(token('T1', 60), 9000);
    expect(shelf.get()).toBeNull();
    shelf.put(token('T2', 60), 8999);
    expect(shelf.get()?.response.access_token).toBe('T2');
  });

  it('should neither give out nor take what was refused, until it is fetched again', () => {
    const { shelf } = setUp();
    shelf.put(token('T1', 60), 0);
    shelf.refuse('T1');
    expect(shelf.get()).toBeNull();
    expect(shelf.put(token('T1', 60), 0)).toBe(false);
    shelf.clear();
    shelf.put(token('T1', 60), 0);
    expect(shelf.get()?.response.access_token).toBe('T1');
  });

  it('should remember the last response, over and refused as it may be', () => {
    const { shelf, pass } = setUp();
    expect(shelf.last()).toBeNull();
    shelf.put(token('T1', 60), 0);
    shelf.refuse('T1');
    pass(120_000);
    expect(shelf.get()).toBeNull();
    expect(shelf.last()).toMatchObject({ response: { access_token: 'T1' }, age: 120_000 });
  });

  it('should remember a response that is newer than its token, and never give that out', () => {
    const { shelf, pass } = setUp();
    shelf.keep(token('T2', 60), 1000);
    expect([shelf.get(), shelf.last()?.response.access_token]).toEqual([null, 'T2']);
    expect(shelf.put(token('T1', 60), 2000)).toBe(true);
    expect([shelf.get()?.response.access_token, shelf.last()?.response.access_token]).toEqual(['T1', 'T2']);
    pass(10);
    shelf.keep(token('T3', 60), 1010);
    expect(shelf.last()?.response.access_token).toBe('T2');
    shelf.refuse('T4');
    expect(shelf.put(token('T4', 60), 0)).toBe(false);
    expect(shelf.last()?.response.access_token).toBe('T4');
    shelf.clear();
    expect(shelf.last()).toBeNull();
  });

  it('should give nothing to one who wants another than it has', () => {
    const { shelf } = setUp();
    expect(shelf.get()).toBeNull();
    shelf.put(token('T1', 60), 0);
    expect(shelf.get('T1')).toBeNull();
    expect(shelf.get('T0')?.response.access_token).toBe('T1');
  });
});
