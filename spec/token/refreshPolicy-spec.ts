import { accessToken } from '../../src/token/accessToken.js';
import { jwtClaims } from '../../src/internal/jwtClaims.js';
import { lifetimeOf, saysLifetime, timesOf } from '../../src/token/refreshPolicy.js';
import type { AccessToken, TokenResponse } from '../../src/token/types.js';

const base64url = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const jwt = (claims: unknown): string => `${base64url({ alg: 'none' })}.${base64url(claims)}.c2lnbg`;

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
        expect(lifetimeOf({ access_token, expires_in } as TokenResponse, NOW + 100_000, undefined, true)).toBe(
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
    expect(lifetimeOf(response, NOW, undefined, true)).toBe(lifetime);
  });

  it.each<[number | undefined, number]>([
    [5, 5],
    [0, 0],
    [Infinity, Infinity],
    [-5, -5],
    [undefined, 30_000],
  ])('should believe an override of %p before anything else', (own, lifetime) => {
    const response = { access_token: jwt({ exp: S + 77 }), expires_in: 30 };
    const asked: TokenResponse[] = [];
    expect(
      lifetimeOf(response, NOW, (given) => {
        asked.push(given);
        return own;
      }),
    ).toBe(lifetime);
    expect(asked).toEqual([response]);
  });
});

describe('jwtClaims', () => {
  it.each<[string, string, object]>([
    ['a signed JWT', jwt({ exp: 1, iat: 2 }), { exp: 1, iat: 2 }],
    ['an unsigned one', `${base64url({})}.${base64url({ exp: 1 })}.`, { exp: 1 }],
    // "~~~" and "???" in the payload give - and _ in base64url.
    ['one whose payload needs - and _', jwt({ exp: 1, a: '~~~???ÿ' }), expect.objectContaining({ exp: 1 }) as object],
    [
      'one that is padded',
      ['{"a":1}', '{"exp":1}', 'xy'].map((part) => Buffer.from(part).toString('base64')).join('.'),
      { exp: 1 },
    ],
    ['an opaque token', 'opaque', {}],
    ['a token of two parts', 'a.b', {}],
    ['a token of four parts', `a.${base64url({ exp: 1 })}.b.c`, {}],
    ['a token of four parts, of which three are a JWT', `a.${jwt({ exp: 1 })}`, {}],
    ['a token of five parts, encrypted', 'a.b.c.d.e', {}],
    ['parts that are no base64url', 'a.{"exp":1}.c', {}],
    ['a payload that cannot be decoded', 'a.x.c', {}],
    ['a payload that is no JSON', `a.${base64url('exp=1')}.c`, {}],
    ['a payload that is null', jwt(null), {}],
    ['a payload that is a number', jwt(5), {}],
    ['an empty token', '', {}],
  ])('should read %s', (_kind, token, claims) => {
    expect(jwtClaims(token)).toEqual(claims);
  });
});

describe('timesOf', () => {
  const token = (lifetime: number, issuedAt = 0): AccessToken => accessToken({ access_token: 'a' }, issuedAt, lifetime);
  const settings = { jitter: 0, random: () => 0 };
  const windowsOf = (of: AccessToken, took: number, by: Parameters<typeof timesOf>[3]) => {
    const { renewAt, usableUntil, requestedAt, endsAt } = timesOf(of, of.issuedAt, took, by);
    expect([requestedAt, endsAt]).toEqual([of.issuedAt, of.expiresAt]);
    return { renewAt, usableUntil };
  };
  const [s, min] = [1000, 60_000];

  it.each<[string, number, number, number, number]>([
    ['30 s fetched in 0.2 s', 30 * s, 200, 25 * s, 29 * s],
    ['an hour', 60 * min, 200, 55 * min, 60 * min - s],
    ['1 s fetched in 0.4 s', s, 400, 500, 966],
    ['40 days', 40 * 24 * 60 * min, 200, 40 * 24 * 60 * min - 5 * min, 40 * 24 * 60 * min - s],
    ['half an hour, where a sixth is 5 min', 30 * min, 200, 25 * min, 30 * min - s],
    ['30 s fetched in 5 s: 1.5 times that plus the margin', 30 * s, 5 * s, 21.5 * s, 29 * s],
    ['30 s fetched in 15 s: half the life at most', 30 * s, 15 * s, 15 * s, 29 * s],
    ['6 s fetched in 0.6 s: a sixth is less than 1.5 times that plus the margin', 6 * s, 600, 4.9 * s, 5.8 * s],
    ['1 ms: never due at once', 1, 0, 1, 0],
    ['nothing', 0, 0, 1, 0],
  ])('should renew and end a token of %s', (_kind, lifetime, took, renewAt, usableUntil) => {
    expect(windowsOf(token(lifetime), took, settings)).toEqual({ renewAt, usableUntil });
    expect(windowsOf(token(lifetime, NOW), took, settings)).toEqual({
      renewAt: NOW + renewAt,
      usableUntil: NOW + usableUntil,
    });
  });

  it('should count from when the token was issued by the steady clock, whatever its own clock shows', () => {
    const moments = { requestedAt: 7000, renewAt: 32_000, usableUntil: 36_000, endsAt: 37_000 };
    expect(timesOf(token(30_000, NOW), 7000, 200, settings)).toEqual(moments);
  });

  const whole = { iat: 100, exp: 103 };
  it.each<[string, object, number, number, number, number]>([
    ['3 s fetched at once', whole, 3 * s, 0, 1600, 2 * s],
    ['3 s fetched in 0.3 s', whole, 3 * s, 300, 1550, 2 * s],
    ['3 s fetched in 0.5 s: half the life at most', whole, 3 * s, 500, 1500, 2 * s],
    ['1 s', { iat: 100, exp: 101 }, s, 0, 533, 666],
    ['10 s', { iat: 100, exp: 110 }, 10 * s, 200, 7666, 9 * s],
    ['30 s: the margin is a second anyway', { iat: 100, exp: 130 }, 30 * s, 200, 25 * s, 29 * s],
    ['an hour', { iat: 100, exp: 3700 }, 60 * min, 200, 55 * min, 60 * min - s],
    ['another life than the server says', whole, 2.5 * s, 0, 2083, 2416],
    ['2.5 s by a server that rounds the end alone', { iat: 100.5, exp: 103 }, 2.5 * s, 0, 2083, 2416],
    ['3 s by a server that does not round', { iat: 100.25, exp: 103.25 }, 3 * s, 0, 2500, 2900],
    ['3 s by a server that does not say from when', { exp: 103 }, 3 * s, 0, 2500, 2900],
    ['3 s by a server that says it in words', { iat: '100', exp: '103' }, 3 * s, 0, 2500, 2900],
  ])(
    'should allow for servers that round the times of a JWT to whole seconds: %s',
    (_kind, claims, lifetime, took, renewAt, usableUntil) => {
      expect(windowsOf(accessToken({ access_token: jwt(claims) }, 0, lifetime), took, settings)).toEqual({
        renewAt,
        usableUntil,
      });
    },
  );

  it('should be as the user says, though the server rounds', () => {
    const rounded = accessToken({ access_token: jwt(whole) }, 0, 3 * s);
    expect(windowsOf(rounded, 0, { ...settings, expiryMargin: 100 })).toEqual({ renewAt: 2500, usableUntil: 2900 });
    expect(windowsOf(rounded, 0, { ...settings, refreshBefore: 300 })).toEqual({ renewAt: 2700, usableUntil: 2 * s });
  });

  it('should neither renew nor end a token whose life is unknown', () => {
    expect(windowsOf(token(Infinity), 200, { ...settings, refreshBefore: 5000, expiryMargin: 5 })).toEqual({
      renewAt: Infinity,
      usableUntil: Infinity,
    });
    const halfway = ({ issuedAt, expiresAt }: AccessToken) => (expiresAt - issuedAt) / 2;
    expect(windowsOf(token(Infinity), 200, { ...settings, refreshBefore: halfway })).toEqual({
      renewAt: Infinity,
      usableUntil: Infinity,
    });
  });

  it.each<[number | ((token: AccessToken) => number), number]>([
    [5000, 25_000],
    [0, 30_000],
    [15_000, 15_000],
    [20_000, 15_000],
    [(t) => (t.expiresAt - t.issuedAt) / 10, 27_000],
    [() => 1e9, 15_000],
    [() => Infinity, 15_000],
    [() => 0, 30_000],
    // The default.
    [() => NaN, 25_000],
    [() => -1, 25_000],
    [() => undefined as never, 25_000],
  ])('should be told by refreshBefore %p', (refreshBefore, renewAt) => {
    expect(windowsOf(token(30_000), 200, { ...settings, refreshBefore }).renewAt).toBe(renewAt);
  });

  it.each([
    [0, 30_000],
    [1, 29_999],
    [2500, 27_500],
    [0.4, 29_999],
    [15_000, 15_000],
    [40_000, 15_000],
  ])('should be told by expiryMargin %p, but never by more than half the life', (expiryMargin, usableUntil) => {
    expect(windowsOf(token(30_000), 200, { ...settings, expiryMargin }).usableUntil).toBe(usableUntil);
  });

  it('should make room for expiryMargin in the default lead', () => {
    expect(windowsOf(token(30_000), 2000, { ...settings, expiryMargin: 4000 }).renewAt).toBe(23_000);
  });

  it.each([
    [0.2, 0, 25_000],
    [0.2, 0.5, 24_500],
    [0.2, 0.999, 24_001],
    [1, 0.5, 22_500],
    [0, 0.999, 25_000],
    [0.2, -10, 25_000],
    [0.2, 10, 24_000],
    [0.2, NaN, 25_000],
  ])('should add jitter %p of the random number %p to the lead', (jitter, dice, renewAt) => {
    expect(windowsOf(token(30_000), 200, { jitter, random: () => dice }).renewAt).toBe(renewAt);
  });

  it('should keep jitter within half the lifetime, and add it to a lead that was given', () => {
    expect(windowsOf(token(30_000), 200, { jitter: 1, random: () => 0.999, refreshBefore: 14_000 }).renewAt).toBe(
      15_000,
    );
    expect(windowsOf(token(30_000), 200, { jitter: 0.5, random: () => 0.5, refreshBefore: 4000 }).renewAt).toBe(25_000);
  });

  it('should be whole milliseconds', () => {
    for (let lifetime = 1; lifetime < 5000; lifetime += 7) {
      const { renewAt, usableUntil } = windowsOf(token(lifetime + 0.3), 13, { jitter: 0.2, random: () => 0.123 });
      expect([Number.isInteger(renewAt), Number.isInteger(usableUntil)]).toEqual([true, true]);
      expect(usableUntil).toBeLessThanOrEqual(lifetime);
    }
  });
});
