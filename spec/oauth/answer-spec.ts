import { isDeeperThan, mediaTypeOf, retryAfterOf } from '../../src/oauth/answer.js';
import { challengeOf } from '../../src/oauth/challenge.js';
import { clockSkewOf } from '../../src/oauth/serverClock.js';

const NOW = Date.UTC(2026, 0, 1, 12);
const at = (offset: number) => new Date(NOW + offset).toUTCString();

describe('retryAfterOf', () => {
  it.each<[string, Record<string, string>, number | undefined]>([
    ['nothing', {}, undefined],
    ['seconds', { 'retry-after': '120' }, 120_000],
    ['zero', { 'retry-after': '0' }, 0],
    ['a fraction', { 'retry-after': '0.5' }, 500],
    ['a date by our clock when the server tells no other', { 'retry-after': at(30_000) }, 30_000],
    ['a date by the clock of the server that wrote it', { 'retry-after': at(630_000), date: at(600_000) }, 30_000],
    ['a date that has passed', { 'retry-after': at(-1000) }, 0],
    ['a negative number', { 'retry-after': '-5' }, undefined],
    ['a number that is not one of seconds', { 'retry-after': '1e9' }, undefined],
    ['an endless number', { 'retry-after': '9'.repeat(400) }, Number.MAX_SAFE_INTEGER],
    ['words', { 'retry-after': 'Soon' }, undefined],
  ])('should read %s', (_what, headers, expected) => {
    expect(retryAfterOf(new Headers(headers), NOW)).toBe(expected);
  });
});

describe('mediaTypeOf', () => {
  it.each([
    ['application/json', 'application/json'],
    ['Application/JSON; charset=utf-8', 'application/json'],
    ['application/problem+json', 'application/problem+json'],
    ['text/html; charset=utf-8', 'text/html'],
    ['', 'no content type'],
    ['text/the-client-secret-5d41402a', 'an unusual content type'],
    ['application/the-client-secret+json', 'an unusual content type'],
    ['text/html and the secret', 'an unusual content type'],
    [`text/${'x'.repeat(61)}`, 'an unusual content type'],
  ])('should show of %j only %j', (value, expected) => {
    expect(mediaTypeOf(new Headers({ 'content-type': value }))).toBe(expected);
  });
});

describe('isDeeperThan', () => {
  it.each<[unknown, boolean]>([
    [1, false],
    [null, false],
    [{}, false],
    [{ a: [1] }, false],
    [{ a: [[1]] }, true],
    [[[{}]], true],
  ])('should say of %j and two levels: %p', (value, expected) => {
    expect(isDeeperThan(2, value)).toBe(expected);
  });
});

describe('clockSkewOf', () => {
  it.each<[string | undefined, number | undefined]>([
    [undefined, undefined],
    ['yesterday', undefined],
    [at(0), 0],
    [at(600_000), 600],
    [at(-600_000), -600],
  ])('should read from the date %j that the server is %p seconds ahead', (date, expected) => {
    expect(clockSkewOf(new Headers(date === undefined ? {} : { date }), NOW)).toBe(expected);
  });
});

describe('challengeOf', () => {
  const error = (code: string, description?: string) => ({ error: code, error_description: description });
  it.each<[number, string | undefined, unknown]>([
    [401, undefined, undefined],
    [200, 'Basic error="invalid_client"', undefined],
    [401, 'Basic realm="orders"', undefined],
    [401, 'Basic realm="orders", error="invalid_client"', error('invalid_client')],
    [
      401,
      'Basic realm="x", DPoP error="use_dpop_nonce", error_description="a \\"nonce\\", please"',
      error('use_dpop_nonce', 'a "nonce", please'),
    ],
    [400, 'Bearer error=invalid_token', error('invalid_token')],
    [401, '="', undefined],
  ])('should find in a %p with %j: %j', async (status, challenge, expected) => {
    expect(
      await challengeOf({
        status,
        headers: new Headers(challenge === undefined ? {} : { 'www-authenticate': challenge }),
      }),
    ).toEqual(expected);
  });
});
