import { asyncScheduler, NEVER, of, Subject } from 'rxjs';
import { createTokenStream, type TokenStreamOptions } from 'rx-fresh-token';
import { isPermanentFailure } from '../../src/answers/isPermanentFailure.js';
import { settingsOf } from '../../src/token/options.js';

const creation = (options: unknown) => (): void => {
  createTokenStream(() => of({ access_token: 'a' }), options as TokenStreamOptions).close();
};

/** `{ 'a.b': 1 }` becomes `{ a: { b: 1 } }`. */
const setting = (name: string, value: unknown): object => {
  const [outer, inner] = name.split('.') as [string, string?];
  return { [outer]: inner === undefined ? value : { [inner]: value } };
};

const numbers: [name: string, range: string, wrong: number[], right: number[]][] = [
  ['refreshBefore', 'at least 0, finite', [-1, Infinity], [0, 5000]],
  ['expiryMargin', 'at least 0, finite', [-1, Infinity], [0, 5000]],
  ['jitter', 'at least 0, at most 1', [-0.1, 1.1, Infinity], [0, 0.5, 1]],
  ['idleTimeout', 'at least 0, or Infinity', [-1], [0, 5000, Infinity]],
  ['fetchTimeout', 'at least 1, finite', [0, -1, Infinity], [1, 2 ** 40]],
  ['maxWait', 'at least 0, or Infinity', [-1], [0, 5000, Infinity]],
  ['backoff.initial', 'at least 0, finite', [-1, Infinity], [0, 5000]],
  ['backoff.max', 'at least 0, finite', [-1, Infinity], [0, 5000]],
  ['backoff.factor', 'at least 1, finite', [0, 0.5, -1, Infinity], [1, 1.5]],
  ['rejectionBudget.max', 'at least 0, or Infinity', [-1], [0, 5, Infinity]],
  ['rejectionBudget.per', 'at least 1, finite', [0, -1, Infinity], [1, 5000]],
];

describe.each(numbers)('the option %s', (name, range, wrong, right) => {
  it('should be a TypeError that names it, its value and its range', () => {
    for (const value of [...wrong, -Infinity, NaN, null]) {
      expect(creation(setting(name, value))).toThrow(
        new TypeError(`option "${name}" must be a number, ${range}, got ${String(value)}`),
      );
    }
    const wrongs: [unknown, string][] = [
      ['5', '"5"'],
      ['x'.repeat(200), `"${'x'.repeat(80)}"`],
      [{}, 'object'],
      [[5], 'object'],
      [true, 'boolean'],
      [5n, 'bigint'],
      [Symbol('x'), 'symbol'],
    ];
    for (const [value, shown] of wrongs) {
      expect(creation(setting(name, value))).toThrow(
        new TypeError(`option "${name}" must be a number, ${range}, got ${shown}`),
      );
    }
  });

  it('should be taken within its range, the ends included', () => {
    for (const value of right) expect(creation(setting(name, value))).not.toThrow();
  });

  it('should be the default when undefined', () => {
    expect(JSON.stringify(settingsOf(setting(name, undefined)))).toBe(JSON.stringify(settingsOf({})));
  });
});

it.each([{ backoff: null }, { backoff: 5 }, { rejectionBudget: 'x' }, { rejectionBudget: true }])(
  'should refuse %p: it takes an object',
  (options) => {
    expect(() => createTokenStream(() => [], options as never)).toThrow(
      /^option "(backoff|rejectionBudget)" must be an object$/,
    );
  },
);

describe('an enumerable member on Object.prototype', () => {
  const prototype = Object.prototype as { stray?: unknown };
  afterEach(() => {
    delete prototype.stray;
  });

  it.each<[string, unknown]>([
    ['a function, as old libraries add them', () => undefined],
    ['a string', 'x'],
    ['a list', [5, 6]],
    ['null', null],
  ])('should be no option: %s', (_kind, stray) => {
    prototype.stray = stray;
    expect(creation({ maxWait: 5, backoff: { initial: 5 }, isPermanent: () => true })).not.toThrow();
    expect(() => settingsOf({ jitter: 2 })).toThrow(/^option "jitter"/);
    expect(Object.hasOwn(settingsOf({}), 'stray')).toBe(false);
  });
});

describe('functions among the options', () => {
  it.each(['isPermanent', 'lifetime', 'random', 'now'])(
    'should be a TypeError that names it when it is none: %s',
    (name) => {
      const wrongs: [unknown, string][] = [
        [5, '5'],
        [NaN, 'NaN'],
        ['x', 'string'],
        [null, 'null'],
        [{}, 'object'],
        [true, 'boolean'],
      ];
      for (const [value, shown] of wrongs) {
        expect(creation({ [name]: value })).toThrow(new TypeError(`option "${name}" must be a function, got ${shown}`));
      }
      expect(creation({ [name]: undefined })).not.toThrow();
      expect(creation({ [name]: () => 0 })).not.toThrow();
    },
  );

  it.each<[unknown, string]>([
    [new Date(0), 'object'],
    [undefined, 'undefined'],
    ['2026-11-30', '"2026-11-30"'],
    [NaN, 'NaN'],
    [5n, 'bigint'],
  ])('should be a TypeError that names it when it tells no time: now, that returns %p', (value, shown) => {
    expect(creation({ now: () => value })).toThrow(
      new TypeError(`option "now" must be a clock in milliseconds, got ${shown}`),
    );
  });

  it('should include refreshBefore, which may be a number too', () => {
    const refreshBefore = () => 5;
    expect(settingsOf({ refreshBefore }).refreshBefore).toBe(refreshBefore);
  });
});

describe('objects among the options', () => {
  it.each([
    ['scheduler', 'schedule', asyncScheduler],
    ['wake', 'subscribe', new Subject()],
    ['store', 'refresh', { refresh: () => of() }],
  ])('should be a TypeError that names it when it lacks what it needs: %s', (name, method, right) => {
    const wrongs: [unknown, string][] = [
      [5, '5'],
      [{}, 'object'],
      [{ [method]: true }, 'object'],
      [null, 'null'],
      ['x', '"x"'],
      [() => 0, 'function'],
    ];
    for (const [value, shown] of wrongs) {
      expect(creation({ [name]: value })).toThrow(
        new TypeError(`option "${name}" must be an object with a method "${method}", got ${shown}`),
      );
    }
    expect(creation({ [name]: undefined })).not.toThrow();
    expect(creation({ [name]: right })).not.toThrow();
  });

  it.each<[string, unknown, string]>([
    ['null', null, 'InvalidTokenResponseError'],
    ['a string', 'SECRET', 'InvalidTokenResponseError'],
    ['an object without a token', { token: 'SECRET' }, 'InvalidTokenResponseError'],
    ['a token that breaks a header', { access_token: 'SECRET\n' }, 'InvalidTokenResponseError'],
    ['an error', { error: 'invalid_grant' }, 'TokenEndpointError'],
  ])(
    'should be a TypeError with the cause when it is no token response: initial, given as %s',
    (_kind, initial, cause) => {
      let thrown: unknown;
      try {
        creation({ initial })();
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({
        name: 'TypeError',
        message: expect.stringMatching(/^option "initial" must be a token response: the token /) as string,
        cause: { name: cause },
      });
      expect(String(thrown) + String((thrown as Error).cause)).not.toContain('SECRET');
    },
  );
});

describe('the token source', () => {
  it.each([undefined, null, {}, 'https://auth.example.com', NEVER, Promise.resolve()])(
    'should be a TypeError when it is no function',
    (source) => {
      expect(() => void createTokenStream(source as never)).toThrow(
        new TypeError('createTokenStream takes a token source: a function that fetches a token'),
      );
    },
  );
});

describe('the defaults', () => {
  it('should be those that the documentation names', () => {
    expect(settingsOf({})).toMatchObject({
      scheduler: asyncScheduler,
      store: undefined,
      lifetime: undefined,
      refreshBefore: undefined,
      expiryMargin: undefined,
      idleTimeout: undefined,
      isPermanent: isPermanentFailure,
      random: Math.random,
      jitter: 0.2,
      fetchTimeout: 10_000,
      maxWait: 30_000,
      backoff: { initial: 250, max: undefined, factor: 2 },
      rejectionBudget: { max: 10, per: 60_000 },
    });
  });

  it('should fill what backoff and rejectionBudget leave out', () => {
    expect(settingsOf({ backoff: { max: 7 }, rejectionBudget: { per: 5 } })).toMatchObject({
      backoff: { initial: 250, max: 7, factor: 2 },
      rejectionBudget: { max: 10, per: 5 },
    });
  });

  it("should be the scheduler's clock", () => {
    expect(
      settingsOf({ scheduler: { now: () => 77, schedule: asyncScheduler.schedule.bind(asyncScheduler) } }).userNow(),
    ).toBe(77);
  });
});
