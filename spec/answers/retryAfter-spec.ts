import { limitsRateBy, parseRetryAfter, retryAfterBy } from '../../src/answers/retryAfter.js';

const NOW = Date.UTC(2026, 0, 1);

describe('parseRetryAfter', () => {
  it.each<[string | undefined, number | undefined]>([
    ['120', 120_000],
    ['0', 0],
    ['0.5', 500],
    ['0.25', 250],
    [' 3 ', 3000],
    ['5, 10', 5000],
    ['999999999', 999_999_999_000],
    [String(NOW / 1000 + 30), 30_000],
    [String(NOW + 30_000), 30_000],
    [String(NOW / 1000 - 30), 0],
    ['1000000000', 0],
    ['1000000000000', 0],
    ['9'.repeat(400), Number.MAX_SAFE_INTEGER],
    ['-5', undefined],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 23:59:30 GMT', 0],
    ['Fri, 31 Dec 9999 23:59:59 GMT', Date.UTC(9999, 11, 31, 23, 59, 59) - NOW],
    ['Thursday, 01-Jan-26 00:00:30 GMT', 30_000],
    ['Thu Jan  1 00:00:30 2026', 30_000],
    ['Thu, 01 Jan 2026 01:00:30 +0100', 30_000],
    ['not before Thu, 01 Jan 2026 00:00:30 GMT', undefined],
    ['2026-01-01T00:00:30Z', 30_000],
    ['2026-01-01T00:00:30.500Z', 30_500],
    ['2026-01-01T01:00:30+01:00', 30_000],
    ['2026-01-01T00:00:30', undefined],
    ['2026-01-01', undefined],
    ['20s', 20_000],
    ['20;w=60', 20_000],
    ['20m', undefined],
    ['Infinity', undefined],
    ['soon', undefined],
    ['0x10', undefined],
    ['1e3', undefined],
    ['1_000', undefined],
    ['0b11', undefined],
    ['2026', 2_026_000],
    ['1 January 2027', undefined],
    ['', undefined],
    ['  ', undefined],
    [undefined, undefined],
  ])('should make of %p the wait %p', (header, wait) => {
    expect(parseRetryAfter(header, NOW)).toBe(wait);
  });

  it('should not read a time where there is no clock', () => {
    expect([parseRetryAfter('1800000000', NaN), parseRetryAfter('7', NaN)]).toEqual([undefined, 7000]);
  });
});

describe('retryAfterBy', () => {
  const waitOf = (headers: Readonly<Record<string, string>>, status = 429, now = NOW) =>
    retryAfterBy((name) => new Headers(headers).get(name), status, now);
  const IN_AN_HOUR = String(NOW / 1000 + 3600);

  it.each<[string, Record<string, string>, number]>([
    ['Retry-After', { 'retry-after': '7', 'x-ratelimit-reset': '60' }, 7000],
    ['its older name', { 'x-retry-after': '7', 'x-ratelimit-reset': '60' }, 7000],
    ["Okta's time", { 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': IN_AN_HOUR }, 3_600_000],
    ["GitHub's time", { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': IN_AN_HOUR }, 3_600_000],
    ['a time in milliseconds', { 'x-ratelimit-reset': `${IN_AN_HOUR}000` }, 3_600_000],
    [
      "a time by the server's clock",
      { 'x-ratelimit-reset': IN_AN_HOUR, date: new Date(NOW + 3_590_000).toUTCString() },
      10_000,
    ],
    ['a time that has passed', { 'x-ratelimit-reset': String(NOW / 1000 - 1) }, 0],
    ['the seconds of the sixth draft', { 'ratelimit-remaining': '0', 'ratelimit-reset': '50' }, 50_000],
    ['the one header of the seventh draft', { ratelimit: 'limit=100, remaining=0, reset=50' }, 50_000],
    ['the one header of the ninth draft', { ratelimit: '"hour";r=12;t=3000, "minute";r=0;t=50' }, 50_000],
    ['a limit that is used up, not the others', { ratelimit: '"minute";r=0;t=50, "hour";r=12;t=3000' }, 50_000],
    ['its members in another order', { ratelimit: '"hour";t=3000;r=12, "minute";t=50;r=0' }, 50_000],
    ['its members with others between them', { ratelimit: '"minute";r=0;pk=:1:;t=50' }, 50_000],
    ['those in another order, with others between them', { ratelimit: '"minute";t=50;pk=:1:;r=0' }, 50_000],
    ['another one, if the first cannot be read', { 'retry-after': 'soon', 'ratelimit-reset': '50' }, 50_000],
  ])('should read %s', (_what, headers, wait) => {
    expect(waitOf(headers)).toBe(wait);
  });

  it.each<[string, Record<string, string>, number]>([
    ['of a limit that a gateway cannot count', { 'x-ratelimit-remaining': '-1', 'x-ratelimit-reset': '60' }, 403],
    ['of a limit that is not used up', { 'x-ratelimit-remaining': '12', 'x-ratelimit-reset': '60' }, 503],
    [
      'of another limit than the one that is exceeded',
      { 'x-ratelimit-remaining': '4990', 'x-ratelimit-reset': '60' },
      429,
    ],
    ['of a limit of which nothing is known', { 'x-ratelimit-reset': '60' }, 500],
    ['of a policy that is not used up', { ratelimit: '"hour";r=12;t=3000' }, 429],
    ['that is a text', { 'x-ratelimit-reset': '6m0s' }, 429],
  ])('should not wait for the end %s', (_what, headers, status) => {
    expect(waitOf(headers, status)).toBeUndefined();
  });

  it('should take what is no time, where there is no clock', () => {
    const headers = { 'x-ratelimit-reset': IN_AN_HOUR, 'ratelimit-reset': '50' };
    expect(waitOf(headers, 429, NaN)).toBe(50_000);
  });

  it('should wait for the end of a limit that is used up, whatever the status', () => {
    expect(waitOf({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '60' }, 403)).toBe(60_000);
  });

  it('should not wait for the end of a limit after a failure that is permanent, but for Retry-After', () => {
    const final = (headers: Record<string, string>) =>
      retryAfterBy((name) => new Headers(headers).get(name), 400, NOW, true);
    const limit = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '60' };
    expect([final(limit), final({ ...limit, 'retry-after': '7' })]).toEqual([undefined, 7000]);
  });
});

describe('limitsRateBy', () => {
  it.each<[Record<string, string>, boolean]>([
    [{ 'retry-after': 'soon' }, true],
    [{ 'x-retry-after': '5' }, true],
    [{ 'x-ratelimit-remaining': '0' }, true],
    [{ 'x-ratelimit-remaining': '0.0' }, true],
    [{ 'x-ratelimit-remaining': '0.5' }, false],
    [{ 'x-ratelimit-remaining': '05' }, false],
    [{ 'x-ratelimit-remaining': '12', 'x-ratelimit-reset': '5' }, false],
    [{}, false],
  ])('should say of %j: %p', (headers, limits) => {
    expect(limitsRateBy((name) => new Headers(headers).get(name))).toBe(limits);
  });
});
