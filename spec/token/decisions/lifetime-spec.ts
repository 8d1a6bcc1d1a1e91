import { lifetimeByOption, lifetimeOf, saysLifetime } from '../../../src/token/decisions/lifetime.js';
import type { TokenResponse } from '../../../src/token/types.js';
import { jwt } from '../../jwt.js';

const NOW = 1_700_000_000_000;
const S = NOW / 1000;

describe('lifetimeOf', () => {
  it.each<[string, unknown, number]>([
    ['a number', 30, 30_000],
    ['a fraction', 0.1, 100],
    ['a numeric string', '30', 30_000],
    ['a numeric string with blanks', ' 30 ', 30_000],
    ['a fraction as a string', '0.5', 500],
    ['zero', 0, 0],
    ['a negative number', -1, -1000],
    ['a negative string', '-1', -1000],
    ['Infinity', Infinity, Infinity],
  ])('should read expires_in: %s', (_kind, expires_in, lifetime) => {
    expect(lifetimeOf({ access_token: jwt({ exp: S + 77 }), expires_in } as TokenResponse, NOW)).toBe(lifetime);
  });

  it.each<[string, unknown, number]>([
    ['in 5 minutes', S + 300, 300_000],
    ['as a string', `${S + 300}`, 300_000],
    ['in the past', S - 300, -300_000],
    ['in milliseconds', (S + 300) * 1000, 300_000],
    ['in milliseconds, in the past', (S - 300) * 1000, -300_000],
    ['in 364 days', S + 364 * 86_400, 364 * 86_400_000],
  ])(
    'should take an expires_in that is a Unix time of these years for the time of expiry: %s',
    (_kind, expires_in, lifetime) => {
      for (const access_token of ['opaque', jwt({ exp: S + 400 })]) {
        expect(lifetimeOf({ access_token, expires_in } as TokenResponse, NOW)).toBe(lifetime);
        // A response that was saved.
        expect(lifetimeOf({ access_token, expires_in } as TokenResponse, NOW + 100_000, true)).toBe(
          access_token === 'opaque' ? lifetime - 100_000 : Math.min(lifetime - 100_000, 300_000),
        );
      }
    },
  );

  it.each([999_999_999, 2 ** 31 - 1, S + 366 * 86_400, S - 366 * 86_400, 1e10, (S + 366 * 86_400) * 1000])(
    'should take an expires_in of decades for a lifetime: %d',
    (expires_in) => {
      expect(lifetimeOf({ access_token: 'opaque', expires_in }, NOW)).toBe(expires_in * 1000);
      // In virtual time.
      expect(lifetimeOf({ access_token: 'opaque', expires_in }, 0)).toBe(expires_in * 1000);
    },
  );

  it.each<[string, unknown]>([
    ['NaN', NaN],
    ['words', 'soon'],
    ['a number and a unit', '30s'],
    ['a date', '2026-11-28T00:00:00Z'],
    ['a hexadecimal number', '0x10'],
    ['an empty string', ''],
    ['blanks', '  '],
    ['a boolean', true],
    ['an array', [30]],
    ['an object', {}],
    ['null', null],
  ])('should count an expires_in that cannot be read as absent: %s', (_kind, expires_in) => {
    expect(lifetimeOf({ access_token: jwt({ exp: S + 77 }), expires_in } as TokenResponse, NOW)).toBe(77_000);
    expect(lifetimeOf({ access_token: 'opaque', expires_in } as TokenResponse, NOW)).toBe(Infinity);
    expect(saysLifetime({ access_token: 'a', expires_in } as TokenResponse)).toBe(false);
  });

  it.each<[string, unknown, unknown, number]>([
    ['beside milliseconds, as Zoho gives them', 3600, 3_600_000, 3_600_000],
    ['as strings', '3600', '3600000', 3_600_000],
    ['alone', 30, undefined, 30_000],
    ['null beside seconds', null, 30, 30_000],
  ])('should read the seconds of expires_in_sec: %s', (_kind, expires_in_sec, expires_in, lifetime) => {
    const response = { access_token: 'opaque', expires_in_sec, expires_in } as TokenResponse;
    expect(lifetimeOf(response, NOW)).toBe(lifetime);
    expect(saysLifetime(response)).toBe(true);
  });

  it.each([0, -1, 30, '30', Infinity])('should say that a response with expires_in %p says it', (expires_in) => {
    expect(saysLifetime({ access_token: 'a', expires_in })).toBe(true);
  });

  it.each<[string, string, number]>([
    ['exp - iat', jwt({ exp: S + 100, iat: S + 40 }), 60_000],
    ['exp - iat, though the clock differs by years', jwt({ exp: 160, iat: 100 }), 60_000],
    ['exp - now, where the JWT was issued a while ago', jwt({ exp: S + 600, iat: S - 3000 }), 600_000],
    ['exp - iat, where a clock that is slow makes it look younger', jwt({ exp: S + 4000, iat: S + 400 }), 3_600_000],
    ['exp - iat, where it looks over', jwt({ exp: S - 5, iat: S - 65 }), 60_000],
    ['exp - iat, where it ends now', jwt({ exp: S, iat: S - 60 }), 60_000],
    ['exp - now, where a little more than its margin is left', jwt({ exp: S + 1.5, iat: S - 58.5 }), 1500],
    ['exp - iat, where no more than its margin is left: the clocks differ', jwt({ exp: S + 1, iat: S - 59 }), 60_000],
    ['exp - now without iat', jwt({ exp: S + 100 }), 100_000],
    ['exp - now with an iat that is no number', jwt({ exp: S + 100, iat: 'x' }), 100_000],
    ['what is over already', jwt({ exp: S - 5 }), -5000],
    ['unknown: no exp', jwt({ iat: S }), Infinity],
    ['unknown: an exp that is no number', jwt({ exp: String(S + 100) }), Infinity],
    ['unknown: no JWT', 'opaque', Infinity],
  ])('should fall back on the claims of a JWT: %s', (_kind, access_token, lifetime) => {
    for (const expires_in of [undefined, null])
      expect(lifetimeOf({ access_token, expires_in } as TokenResponse, NOW)).toBe(lifetime);
    expect(lifetimeOf({ access_token }, NOW)).toBe(lifetime);
  });

  it.each<[string, TokenResponse, number]>([
    ['exp - now, where that is less than exp - iat', { access_token: jwt({ exp: S + 40, iat: S - 20 }) }, 40_000],
    [
      'exp - iat, where a clock that is slow makes that less',
      { access_token: jwt({ exp: S + 100, iat: S + 40 }) },
      60_000,
    ],
    ['what is over already', { access_token: jwt({ exp: S - 5, iat: S - 65 }) }, -5000],
    ['exp - now before expires_in', { access_token: jwt({ exp: S - 5, iat: S - 65 }), expires_in: 60 }, -5000],
    ['expires_in, where that is less', { access_token: jwt({ exp: S + 40 }), expires_in: 30 }, 30_000],
    ['expires_in of an opaque token', { access_token: 'opaque', expires_in: 30 }, 30_000],
    ['unknown, as ever', { access_token: 'opaque' }, Infinity],
  ])('should not take a token of unknown age for a new one: %s', (_kind, response, lifetime) => {
    expect(lifetimeOf(response, NOW, true)).toBe(lifetime);
  });

  it.each<[number | undefined, number | undefined]>([
    [5, 5],
    [0, 0],
    [Infinity, Infinity],
    [-5, -5],
    [undefined, undefined],
  ])('should take what the option says of the response: %p', (own, lifetime) => {
    const response = { access_token: jwt({ exp: S + 77 }), expires_in: 30 };
    const asked: TokenResponse[] = [];
    expect(
      lifetimeByOption(response, (given) => {
        asked.push(given);
        return own;
      }),
    ).toBe(lifetime);
    expect(asked).toEqual([response]);
  });
});
