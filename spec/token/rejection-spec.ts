import { accessToken } from '../../src/token/accessToken.js';
import { createBudget, createFruitlessRefreshes, isExplicit, isRejection, looksLikeResponse } from '../../src/token/rejection.js';

const answered = (status: number, challenge?: string) => new Response(null, { status, headers: challenge === undefined ? {} : { 'www-authenticate': challenge } });
/** What axios throws. */
const axiosLike = (status: number, challenge?: string) => Object.assign(new Error('refused'), { response: { status, headers: { 'www-authenticate': challenge } } });
/** What RxJS' ajax throws. */
const ajaxLike = (status: number, challenge?: string) => Object.assign(new Error('refused'), { status, response: 'text', xhr: { getResponseHeader: () => challenge ?? null } });

const kinds: [string, (status: number, challenge?: string) => unknown][] = [
  ['a Response', answered],
  ["axios' error", axiosLike],
  ["ajax' error", ajaxLike],
];

describe.each(kinds)('%s', (_kind, make) => {
  it.each<[number, string | undefined, boolean, boolean]>([
    [401, undefined, true, true],
    [401, 'Bearer error="insufficient_scope"', true, true],
    [403, undefined, true, false],
    [403, 'Bearer error="invalid_token"', true, true],
    [403, 'Bearer realm="x", error=invalid_token', true, true],
    [403, 'bearer ERROR = "INVALID_TOKEN"', true, true],
    [403, 'Bearer error="insufficient_scope", scope="admin"', false, false],
    [403, 'Bearer realm="x", error=insufficient_scope', false, false],
    [403, 'bearer Error="Insufficient_Scope"', false, false],
    [403, 'Bearer realm="insufficient_scope"', true, false],
    [403, 'Bearer error="insufficient_scopes"', true, false],
    [403, 'Bearer my_error="insufficient_scope"', true, false],
    [403, 'Bearer error="invalid_tokens"', true, false],
    [400, undefined, false, false],
    [402, undefined, false, false],
    [404, undefined, false, false],
    [407, undefined, false, false],
    [500, undefined, false, false],
    [200, undefined, false, false],
  ])('with status %i and challenge %p: rejection %p, explicit %p', (status, challenge, rejection, explicit) => {
    expect([isRejection(make(status, challenge)), isExplicit(make(status, challenge))]).toEqual([rejection, explicit]);
  });
});

describe('isRejection', () => {
  it.each<[string, unknown, boolean]>([
    ['a bare status', { status: 401 }, true],
    ['the status before the one of the response', { status: 500, response: { status: 401 } }, false],
    ['the status of the response, where its own is no number', { status: 'error', response: { status: 401 } }, true],
    ['a status that is a string', { status: '401' }, false],
    ['an Error', new Error('401'), false],
    ['a number', 401, false],
    ['a string', '401', false],
    ['null', null, false],
    ['undefined', undefined, false],
    ['a response that is no object', { response: 401 }, false],
  ])('should judge %s', (_kind, outcome, rejection) => {
    expect(isRejection(outcome)).toBe(rejection);
  });
});

describe('looksLikeResponse', () => {
  it.each<[string, unknown, boolean]>([
    ['a Response', answered(401), true],
    ['what has a status and headers', { status: 401, headers: {} }, true],
    ['a data row', { status: 403 }, false],
    ['a data row with headers as text', { status: 403, headers: 'none' }, false],
    ['a data row with null headers', { status: 403, headers: null }, false],
    ['a status in words', { status: 'refused', headers: {} }, false],
    ['a string', 'x', false],
    ['null', null, false],
    ['undefined', undefined, false],
  ])('should judge %s', (_kind, value, looks) => {
    expect(looksLikeResponse(value)).toBe(looks);
  });
});

describe('createBudget', () => {
  it('should allow max within any window, and a further one when the first has left it', () => {
    const spend = createBudget({ max: 2, per: 100 });
    expect([0, 50, 60, 99, 100, 101, 149, 150, 151].map(spend)).toEqual([true, true, false, false, true, false, false, true, false]);
  });

  it('should count what it allowed only', () => {
    const spend = createBudget({ max: 1, per: 100 });
    expect([0, 90, 95, 100].map(spend)).toEqual([true, false, false, true]);
  });

  it('should allow none with max 0, and any number with Infinity', () => {
    expect([0, 1000].map(createBudget({ max: 0, per: 1 }))).toEqual([false, false]);
    expect(Array.from({ length: 1000 }, () => 5).map(createBudget({ max: Infinity, per: 1000 }))).not.toContain(false);
  });

  it('should neither be refilled nor locked for longer than one window by a clock that is set back', () => {
    const spend = createBudget({ max: 1, per: 100 });
    expect([10_000, 0, 99, 100].map(spend)).toEqual([true, false, false, true]);
  });
});

describe('createFruitlessRefreshes', () => {
  const token = (value: string) => accessToken({ access_token: value }, 0, 1);
  const [T1, T2, T3] = ['T1', 'T2', 'T3'].map(token) as [ReturnType<typeof token>, ReturnType<typeof token>, ReturnType<typeof token>];

  it('should know a resource whose repeat was refused, whatever the token', () => {
    const fruitless = createFruitlessRefreshes();
    expect(fruitless.knows('a', T1)).toBe(false);
    fruitless.repeat('a', T2)(true);
    expect([T1, T2, T3].map((t) => fruitless.knows('a', t))).toEqual([true, true, true]);
    expect(fruitless.knows('b', T2)).toBe(false);
  });

  it('should forget a resource whose repeat went well', () => {
    const fruitless = createFruitlessRefreshes();
    fruitless.repeat('a', T2)(false);
    expect(fruitless.knows('a', T2)).toBe(false);
  });

  it('should pass rejections of the new token on while the repeat is on its way, and those of the old one not', () => {
    const fruitless = createFruitlessRefreshes();
    const settle = fruitless.repeat('a', T2);
    expect([T1, T2, T3].map((t) => fruitless.knows('a', t))).toEqual([false, true, false]);
    settle(false);
    expect(fruitless.knows('a', T2)).toBe(false);
  });

  it('should count overlapping repeats as one: the refusal of any stands', () => {
    const fruitless = createFruitlessRefreshes();
    const [first, second, third] = [fruitless.repeat('a', T2), fruitless.repeat('a', T2), fruitless.repeat('a', T2)];
    first(false);
    expect(fruitless.knows('a', T2)).toBe(true);
    second(true);
    third(false);
    expect(fruitless.knows('a', T3)).toBe(true);
  });

  it('should forget when the last of overlapping repeats went well', () => {
    const fruitless = createFruitlessRefreshes();
    const [first, second] = [fruitless.repeat('a', T2), fruitless.repeat('a', T2)];
    first(false);
    second(false);
    expect(fruitless.knows('a', T2)).toBe(false);
  });

  it('should count the first word of a repeat only', () => {
    const fruitless = createFruitlessRefreshes();
    const settle = fruitless.repeat('a', T2);
    settle(false);
    settle(true);
    expect(fruitless.knows('a', T2)).toBe(false);
    const other = fruitless.repeat('a', T2);
    const overlapping = fruitless.repeat('a', T2);
    other(false);
    other(false);
    expect(fruitless.knows('a', T2)).toBe(true);
    overlapping(false);
    expect(fruitless.knows('a', T2)).toBe(false);
  });

  it('should remember a fruitless refresh across a repeat with a later token', () => {
    const fruitless = createFruitlessRefreshes();
    fruitless.repeat('a', T2)(true);
    const settle = fruitless.repeat('a', T3);
    expect(fruitless.knows('a', T1)).toBe(true);
    settle(false);
    expect(fruitless.knows('a', T1)).toBe(true);
  });

  it('should not let the late end of an old repeat erase a newer one', () => {
    const fruitless = createFruitlessRefreshes();
    const old = fruitless.repeat('a', T2);
    fruitless.repeat('a', T3);
    old(false);
    expect(fruitless.knows('a', T3)).toBe(true);
  });

  it('should remember nothing without a key', () => {
    const fruitless = createFruitlessRefreshes();
    const settle = fruitless.repeat(undefined, T2);
    expect(fruitless.knows(undefined, T2)).toBe(false);
    settle(true);
    expect(fruitless.knows(undefined, T2)).toBe(false);
  });

  it('should forget everything when it is cleared', () => {
    const fruitless = createFruitlessRefreshes();
    fruitless.repeat('a', T2)(true);
    const settle = fruitless.repeat('b', T2);
    fruitless.clear();
    settle(true);
    expect(['a', 'b'].map((key) => fruitless.knows(key, T2))).toEqual([false, false]);
  });

  it('should remember 256 resources, and forget the least recent', () => {
    const fruitless = createFruitlessRefreshes();
    for (let i = 0; i < 256; i++) fruitless.repeat(String(i), T2)(true);
    fruitless.repeat('0', T2)(true);
    fruitless.repeat('256', T2)(true);
    expect(['0', '1', '2', '256'].map((key) => fruitless.knows(key, T1))).toEqual([true, false, true, true]);
  });
});
