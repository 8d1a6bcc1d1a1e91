import { createRefusals, type RefusalKind, type Refusals } from '../../src/token/refusals.js';

const unlimited = { max: Infinity, per: 60_000 };
const KINDS: RefusalKind[] = ['bare', 'explicit'];

describe('the budget of refusals', () => {
  /** Forces at every moment at which it may, for a token that was accepted. */
  const spend = (refusals: Refusals, kind: RefusalKind, moments: number[]) =>
    moments.map((now) => {
      const may = refusals.mayForce(kind, true, now);
      if (may) refusals.forced(kind, true, now);
      return may;
    });

  it.each(KINDS)('should allow max %s ones within any window, and another when the first has left it', (kind) => {
    const refusals = createRefusals({ max: 2, per: 100 });
    expect(spend(refusals, kind, [0, 50, 60, 99, 100, 101, 149, 150, 151])).toEqual([
      true,
      true,
      false,
      false,
      true,
      false,
      false,
      true,
      false,
    ]);
  });

  it('should count bare and explicit ones apart', () => {
    const refusals = createRefusals({ max: 1, per: 100 });
    expect(spend(refusals, 'bare', [0, 1])).toEqual([true, false]);
    expect(spend(refusals, 'explicit', [2, 3])).toEqual([true, false]);
    expect(spend(refusals, 'bare', [99, 100])).toEqual([false, true]);
  });

  it('should change nothing by being asked', () => {
    const refusals = createRefusals({ max: 1, per: 100 });
    for (let now = 0; now < 10; now++) expect(refusals.mayForce('bare', true, now)).toBe(true);
  });

  it('should allow none with max 0, and any number with Infinity', () => {
    expect(spend(createRefusals({ max: 0, per: 1 }), 'bare', [0, 1000])).toEqual([false, false]);
    const moments = Array.from({ length: 1000 }, () => 5);
    expect(spend(createRefusals({ max: Infinity, per: 1000 }), 'bare', moments)).not.toContain(false);
  });

  it('should neither be refilled nor locked for longer than one window by a clock that is set back', () => {
    const refusals = createRefusals({ max: 1, per: 100 });
    expect(spend(refusals, 'explicit', [10_000, 0, 99, 100])).toEqual([true, false, false, true]);
  });

  it('should outlast a sign-out: it protects the source', () => {
    const refusals = createRefusals({ max: 1, per: 100 });
    spend(refusals, 'bare', [0]);
    refusals.clear();
    expect(spend(refusals, 'bare', [50])).toEqual([false]);
  });
});

describe('tokens that nobody has accepted', () => {
  it('should be replaced by force once at once, then after 1, 2, 4 … 60 s', () => {
    const refusals = createRefusals(unlimited);
    const forced: number[] = [];
    for (let now = 0; now <= 300_000; now += 250) {
      if (!refusals.mayForce('explicit', false, now)) continue;
      refusals.forced('explicit', false, now);
      forced.push(now / 1000);
    }
    expect(forced).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
  });

  it('should count across both kinds', () => {
    const refusals = createRefusals(unlimited);
    refusals.forced('bare', false, 0);
    expect(refusals.mayForce('explicit', false, 999)).toBe(false);
    expect(refusals.mayForce('explicit', false, 1000)).toBe(true);
  });

  it.each<[string, (refusals: Refusals) => void]>([
    ['the first acceptance', (refusals) => refusals.accepted(undefined, true)],
    ['the replacement of one that was accepted', (refusals) => refusals.forced('bare', true, 5)],
    ['the end of the session', (refusals) => refusals.clear()],
  ])('should be counted anew after %s', (_kind, event) => {
    const refusals = createRefusals(unlimited);
    for (let now = 0; now < 5; now++) refusals.forced('bare', false, now);
    expect(refusals.mayForce('bare', false, 5)).toBe(false);
    event(refusals);
    expect(refusals.mayForce('bare', false, 5)).toBe(true);
  });

  it('should not hold back the replacement of a token that was accepted', () => {
    const refusals = createRefusals(unlimited);
    refusals.forced('bare', false, 0);
    expect(refusals.mayForce('bare', true, 1)).toBe(true);
  });

  it('should not be kept by a clock that is set back', () => {
    const refusals = createRefusals(unlimited);
    refusals.forced('bare', false, 1_000_000);
    expect(refusals.mayForce('bare', false, 5)).toBe(true);
  });
});

describe('the memory of resources', () => {
  /** The kinds of refusal that are passed on. */
  const passedOn = (refusals: Refusals, key: string | undefined, now = 0) =>
    KINDS.filter((kind) => refusals.isKnown(key, kind, now)).join(' and ');

  it.each<[RefusalKind, number, string]>([
    ['bare', 0, 'bare'],
    ['bare', 60_000, 'bare'],
    ['bare', 1e12, 'bare'],
    // An explicit refusal says more than a bare one.
    ['explicit', 0, 'bare and explicit'],
    ['explicit', 59_999, 'bare and explicit'],
    ['explicit', 60_000, ''],
  ])('should, once a token was fetched for a %s refusal, pass on after %i ms: %p', (kind, later, passes) => {
    const refusals = createRefusals(unlimited);
    expect([passedOn(refusals, 'a'), refusals.hasEntries()]).toEqual(['', false]);
    refusals.remember('a', kind, 0);
    expect([passedOn(refusals, 'a', later), passedOn(refusals, 'b', later)]).toEqual([passes, '']);
    expect(refusals.hasEntries()).toBe(true);
  });

  it('should be of the last refusal for which a token was fetched', () => {
    const refusals = createRefusals(unlimited);
    refusals.remember('a', 'bare', 0);
    refusals.remember('a', 'explicit', 50);
    expect([passedOn(refusals, 'a', 60_049), passedOn(refusals, 'a', 60_050)]).toEqual(['bare and explicit', '']);
  });

  it.each<[RefusalKind, string]>([
    ['bare', ''],
    ['explicit', 'bare and explicit'],
  ])('should, when the token changes on schedule, keep of a %s one: %p', (kind, passes) => {
    const refusals = createRefusals(unlimited);
    refusals.remember('a', kind, 0);
    refusals.forgetBare();
    expect(passedOn(refusals, 'a')).toBe(passes);
  });

  it.each(KINDS)('should forget a resource that accepts a token, and no other: %s', (kind) => {
    const refusals = createRefusals(unlimited);
    refusals.remember('a', kind, 0);
    refusals.remember('b', 'bare', 0);
    refusals.accepted('a', true);
    expect([passedOn(refusals, 'a'), passedOn(refusals, 'b')]).toEqual(['', 'bare']);
    refusals.accepted(undefined, true);
    expect(passedOn(refusals, 'b')).toBe('bare');
  });

  it('should hold nothing without a key', () => {
    const refusals = createRefusals(unlimited);
    for (const kind of KINDS) refusals.remember(undefined, kind, 0);
    expect([passedOn(refusals, undefined), refusals.hasEntries()]).toEqual(['', false]);
  });

  it('should forget everything when the session ends', () => {
    const refusals = createRefusals(unlimited);
    for (const kind of KINDS) refusals.remember(kind, kind, 0);
    refusals.clear();
    expect([...KINDS.map((key) => passedOn(refusals, key)), refusals.hasEntries()]).toEqual(['', '', false]);
  });

  it('should hold 256 resources, and forget the oldest entry', () => {
    const refusals = createRefusals(unlimited);
    for (let i = 0; i < 256; i++) refusals.remember(String(i), 'bare', 0);
    refusals.remember('0', 'bare', 0);
    refusals.remember('256', 'bare', 0);
    expect(['0', '1', '2', '256'].map((key) => refusals.isKnown(key, 'bare', 0))).toEqual([true, false, true, true]);
  });
});
