import type { RejectionKind } from '../../../src/answers/isRejection.js';
import { createRejectionMemory, type RejectionMemory } from '../../../src/token/decisions/rejectionMemory.js';

const unlimited = { max: Infinity, per: 60_000 };
const KINDS: RejectionKind[] = ['bare', 'explicit'];

describe('the budget of memory', () => {
  /** Forces at every moment at which it may, for a token that was accepted. */
  const spend = (memory: RejectionMemory, kind: RejectionKind, moments: number[]) =>
    moments.map((now) => {
      const may = memory.mayForce(kind, true, now);
      if (may) memory.refreshForced(kind, true, now);
      return may;
    });

  it.each(KINDS)('should allow max %s ones within any window, and another when the first has left it', (kind) => {
    const memory = createRejectionMemory({ max: 2, per: 100 });
    expect(spend(memory, kind, [0, 50, 60, 99, 100, 101, 149, 150, 151])).toEqual([
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
    const memory = createRejectionMemory({ max: 1, per: 100 });
    expect(spend(memory, 'bare', [0, 1])).toEqual([true, false]);
    expect(spend(memory, 'explicit', [2, 3])).toEqual([true, false]);
    expect(spend(memory, 'bare', [99, 100])).toEqual([false, true]);
  });

  it('should change nothing by being asked', () => {
    const memory = createRejectionMemory({ max: 1, per: 100 });
    for (let now = 0; now < 10; now++) expect(memory.mayForce('bare', true, now)).toBe(true);
  });

  it('should allow none with max 0, and any number with Infinity', () => {
    expect(spend(createRejectionMemory({ max: 0, per: 1 }), 'bare', [0, 1000])).toEqual([false, false]);
    const moments = Array.from({ length: 1000 }, () => 5);
    expect(spend(createRejectionMemory({ max: Infinity, per: 1000 }), 'bare', moments)).not.toContain(false);
  });

  it('should outlast a sign-out: it protects the source', () => {
    const memory = createRejectionMemory({ max: 1, per: 100 });
    spend(memory, 'bare', [0]);
    memory.forgetAll();
    memory.endPauses();
    expect(spend(memory, 'bare', [50])).toEqual([false]);
  });
});

describe('tokens that nobody has accepted', () => {
  it('should be replaced by force once at once, then after 1, 2, 4 … 60 s', () => {
    const memory = createRejectionMemory(unlimited);
    const forced: number[] = [];
    for (let now = 0; now <= 300_000; now += 250) {
      if (!memory.mayForce('explicit', false, now)) continue;
      memory.refreshForced('explicit', false, now);
      forced.push(now / 1000);
    }
    expect(forced).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
  });

  it('should count across both kinds', () => {
    const memory = createRejectionMemory(unlimited);
    memory.refreshForced('bare', false, 0);
    expect(memory.mayForce('explicit', false, 999)).toBe(false);
    expect(memory.mayForce('explicit', false, 1000)).toBe(true);
  });

  it.each<[string, (memory: RejectionMemory) => void]>([
    ['the first acceptance, or the end of the session', (memory) => memory.endPauses()],
    ['the replacement of one that was accepted', (memory) => memory.refreshForced('bare', true, 5)],
  ])('should be counted anew after %s', (_kind, event) => {
    const memory = createRejectionMemory(unlimited);
    for (let now = 0; now < 5; now++) memory.refreshForced('bare', false, now);
    expect(memory.mayForce('bare', false, 5)).toBe(false);
    event(memory);
    expect(memory.mayForce('bare', false, 5)).toBe(true);
  });

  it('should be counted from the arrival of the last one, not from a refresh that others asked for', () => {
    const memory = createRejectionMemory(unlimited);
    memory.refreshForced('explicit', false, 0);
    memory.startPause(100);
    memory.remember({ key: '/a', kind: 'explicit' }, 900);
    expect(memory.mayForce('explicit', false, 1099)).toBe(false);
    expect(memory.mayForce('explicit', false, 1100)).toBe(true);
  });

  it('should not hold back the replacement of a token that was accepted', () => {
    const memory = createRejectionMemory(unlimited);
    memory.refreshForced('bare', false, 0);
    expect(memory.mayForce('bare', true, 1)).toBe(true);
  });
});

describe('the memory of resources', () => {
  /** The kinds of rejection that are passed on. */
  const passedOn = (memory: RejectionMemory, key: string | undefined, now = 0) =>
    KINDS.filter((kind) => memory.isRemembered({ key, kind }, now, true)).join(' and ');

  /** Only then the memory asks which resource has accepted a token. */
  const hasEntries = (memory: RejectionMemory) => {
    let isAsked = false;
    memory.forget(() => void (isAsked = true));
    return isAsked;
  };

  it.each<[RejectionKind, number, string]>([
    ['bare', 0, 'bare'],
    ['bare', 60_000, 'bare'],
    ['bare', 1e12, 'bare'],
    // An explicit rejection says more than a bare one.
    ['explicit', 0, 'bare and explicit'],
    ['explicit', 59_999, 'bare and explicit'],
    ['explicit', 60_000, ''],
  ])('should pass on, once a token was fetched for a %s rejection, %i ms later: %p', (kind, later, passes) => {
    const memory = createRejectionMemory(unlimited);
    expect([passedOn(memory, 'a'), hasEntries(memory)]).toEqual(['', false]);
    memory.remember({ key: 'a', kind }, 0);
    expect([passedOn(memory, 'a', later), passedOn(memory, 'b', later)]).toEqual([passes, '']);
    expect(hasEntries(memory)).toBe(true);
  });

  it('should pass on bare rejections for 5 minutes, where the token is never renewed', () => {
    const memory = createRejectionMemory(unlimited);
    memory.remember({ key: 'a', kind: 'bare' }, 0);
    const passesAt = (now: number) => memory.isRemembered({ key: 'a', kind: 'bare' }, now, false);
    expect([passesAt(299_999), passesAt(300_000)]).toEqual([true, false]);
  });

  it('should be of both kinds: an explicit rejection that is over leaves the bare one', () => {
    const memory = createRejectionMemory(unlimited);
    memory.remember({ key: 'a', kind: 'bare' }, 0);
    memory.remember({ key: 'a', kind: 'explicit' }, 50);
    expect([passedOn(memory, 'a', 60_049), passedOn(memory, 'a', 60_050)]).toEqual(['bare and explicit', 'bare']);
    memory.forgetBare();
    expect([passedOn(memory, 'a', 60_049), passedOn(memory, 'a', 60_050)]).toEqual(['bare and explicit', '']);
  });

  it.each<[RejectionKind, string]>([
    ['bare', ''],
    ['explicit', 'bare and explicit'],
  ])('should keep of a %s rejection, when the token changes on schedule: %p', (kind, passes) => {
    const memory = createRejectionMemory(unlimited);
    memory.remember({ key: 'a', kind }, 0);
    memory.forgetBare();
    expect(passedOn(memory, 'a')).toBe(passes);
  });

  it.each(KINDS)('should forget a resource that accepts a token, and no other: %s', (kind) => {
    const memory = createRejectionMemory(unlimited);
    memory.remember({ key: 'a', kind }, 0);
    memory.remember({ key: 'b', kind: 'bare' }, 0);
    memory.forget(() => 'a');
    expect([passedOn(memory, 'a'), passedOn(memory, 'b')]).toEqual(['', 'bare']);
    memory.forget(() => undefined);
    expect(passedOn(memory, 'b')).toBe('bare');
  });

  it('should hold nothing without a key', () => {
    const memory = createRejectionMemory(unlimited);
    for (const kind of KINDS) memory.remember({ key: undefined, kind }, 0);
    expect([passedOn(memory, undefined), hasEntries(memory)]).toEqual(['', false]);
  });

  it('should forget everything when the session ends', () => {
    const memory = createRejectionMemory(unlimited);
    for (const kind of KINDS) memory.remember({ key: kind, kind }, 0);
    memory.forgetAll();
    expect([...KINDS.map((key) => passedOn(memory, key)), hasEntries(memory)]).toEqual(['', '', false]);
  });

  it('should hold 256 resources, and forget the oldest entry', () => {
    const memory = createRejectionMemory(unlimited);
    for (let i = 0; i < 256; i++) memory.remember({ key: String(i), kind: 'bare' }, 0);
    memory.remember({ key: '0', kind: 'bare' }, 0);
    memory.remember({ key: '256', kind: 'bare' }, 0);
    expect(['0', '1', '2', '256'].map((key) => memory.isRemembered({ key, kind: 'bare' }, 0, true))).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });
});
