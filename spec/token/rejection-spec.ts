import {
  createBudget,
  createFruitlessRefreshes,
  isExplicit,
  isRejection,
  looksLikeResponse,
  type FruitlessRefreshes,
} from '../../src/token/rejection.js';

const answered = (status: number, challenge?: string) =>
  new Response(null, { status, headers: challenge === undefined ? {} : { 'www-authenticate': challenge } });
/** What axios throws. */
const axiosLike = (status: number, challenge?: string) =>
  Object.assign(new Error('refused'), { response: { status, headers: { 'www-authenticate': challenge } } });
/** What RxJS' ajax throws. */
const ajaxLike = (status: number, challenge?: string) =>
  Object.assign(new Error('refused'), {
    status,
    response: 'text',
    xhr: { getResponseHeader: () => challenge ?? null },
  });

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
    [403, 'Bearer error = "insufficient_scope"', false, false],
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

it('should read headers of a record in any case', () => {
  expect(isRejection({ status: 403, headers: { 'WWW-Authenticate': 'Bearer error="insufficient_scope"' } })).toBe(
    false,
  );
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
    const { spend } = createBudget({ max: 2, per: 100 });
    expect([0, 50, 60, 99, 100, 101, 149, 150, 151].map(spend)).toEqual([
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

  it('should count what it allowed only', () => {
    const { spend } = createBudget({ max: 1, per: 100 });
    expect([0, 90, 95, 100].map(spend)).toEqual([true, false, false, true]);
  });

  it('should allow none with max 0, and any number with Infinity', () => {
    expect([0, 1000].map(createBudget({ max: 0, per: 1 }).spend)).toEqual([false, false]);
    expect(Array.from({ length: 1000 }, () => 5).map(createBudget({ max: Infinity, per: 1000 }).spend)).not.toContain(
      false,
    );
  });

  it('should neither be refilled nor locked for longer than one window by a clock that is set back', () => {
    const { spend } = createBudget({ max: 1, per: 100 });
    expect([10_000, 0, 99, 100].map(spend)).toEqual([true, false, false, true]);
  });

  it('should count a refresh when it is made, where that is later than was thought', () => {
    const { spend, made } = createBudget({ max: 1, per: 100 });
    made(5);
    expect(spend(10)).toBe(true);
    made(50);
    expect([110, 149].map(spend)).toEqual([false, false]);
    made(20);
    expect([149, 150].map(spend)).toEqual([false, true]);
  });
});

describe('createFruitlessRefreshes', () => {
  /** What it says to a rejection of the current token, and to a late one of an older. */
  const verdicts = ({ knows }: FruitlessRefreshes, key?: string) => [knows(key, true), knows(key, false)];

  it('should know a resource whose repeat was refused, whatever the token', () => {
    const fruitless = createFruitlessRefreshes();
    expect(verdicts(fruitless, 'a')).toEqual([false, false]);
    fruitless.repeat('a')(true);
    expect(verdicts(fruitless, 'a')).toEqual([true, true]);
    expect(verdicts(fruitless, 'b')).toEqual([false, false]);
  });

  it('should forget a resource whose repeat went well', () => {
    const fruitless = createFruitlessRefreshes();
    fruitless.repeat('a')(false);
    expect(verdicts(fruitless, 'a')).toEqual([false, false]);
  });

  it('should pass rejections of the current token on while the repeat is on its way, and those of an older one not', () => {
    const fruitless = createFruitlessRefreshes();
    const settle = fruitless.repeat('a');
    expect(verdicts(fruitless, 'a')).toEqual([true, false]);
    settle(false);
    expect(verdicts(fruitless, 'a')).toEqual([false, false]);
  });

  it('should count overlapping repeats as one: the refusal of any stands', () => {
    const fruitless = createFruitlessRefreshes();
    const [first, second, third] = [fruitless.repeat('a'), fruitless.repeat('a'), fruitless.repeat('a')];
    first(false);
    expect(verdicts(fruitless, 'a')).toEqual([true, false]);
    second(true);
    third(false);
    expect(verdicts(fruitless, 'a')).toEqual([true, true]);
  });

  it('should forget when the last of overlapping repeats went well', () => {
    const fruitless = createFruitlessRefreshes();
    const [first, second] = [fruitless.repeat('a'), fruitless.repeat('a')];
    first(false);
    second(false);
    expect(verdicts(fruitless, 'a')).toEqual([false, false]);
  });

  it('should count the first word of a repeat only', () => {
    const fruitless = createFruitlessRefreshes();
    const settle = fruitless.repeat('a');
    settle(false);
    settle(true);
    expect(verdicts(fruitless, 'a')).toEqual([false, false]);
    const [first, overlapping] = [fruitless.repeat('a'), fruitless.repeat('a')];
    first(false);
    first(false);
    expect(verdicts(fruitless, 'a')).toEqual([true, false]);
    overlapping(false);
    expect(verdicts(fruitless, 'a')).toEqual([false, false]);
  });

  it('should remember a fruitless refresh across a later repeat', () => {
    const fruitless = createFruitlessRefreshes();
    fruitless.repeat('a')(true);
    fruitless.repeat('a')(false);
    expect(verdicts(fruitless, 'a')).toEqual([true, true]);
  });

  it('should not let the late end of a repeat erase what began after clear()', () => {
    const fruitless = createFruitlessRefreshes();
    const old = fruitless.repeat('a');
    fruitless.clear();
    fruitless.repeat('a');
    old(false);
    expect(verdicts(fruitless, 'a')).toEqual([true, false]);
  });

  it('should remember nothing without a key', () => {
    const fruitless = createFruitlessRefreshes();
    const settle = fruitless.repeat(undefined);
    expect(verdicts(fruitless)).toEqual([false, false]);
    settle(true);
    expect(verdicts(fruitless)).toEqual([false, false]);
  });

  it('should forget everything when it is cleared', () => {
    const fruitless = createFruitlessRefreshes();
    fruitless.repeat('a')(true);
    const settle = fruitless.repeat('b');
    fruitless.clear();
    settle(true);
    expect([verdicts(fruitless, 'a'), verdicts(fruitless, 'b')].flat()).not.toContain(true);
  });

  it('should remember 256 resources, and forget the least recent', () => {
    const fruitless = createFruitlessRefreshes();
    for (let i = 0; i < 256; i++) fruitless.repeat(String(i))(true);
    fruitless.repeat('0')(true);
    fruitless.repeat('256')(true);
    expect(['0', '1', '2', '256'].map((key) => fruitless.knows(key, false))).toEqual([true, false, true, true]);
  });
});
