import { accessToken } from '../../../src/token/decisions/accessToken.js';
import { timesOf } from '../../../src/token/decisions/tokenTimes.js';
import type { AccessToken } from '../../../src/token/types.js';
import { jwt } from '../../jwt.js';

const NOW = 1_700_000_000_000;

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
