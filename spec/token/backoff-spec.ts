import { TokenEndpointError, InvalidTokenResponseError } from '../../src/errors.js';
import { accessToken } from '../../src/token/accessToken.js';
import {
  backoffOf,
  backoffStep,
  isPermanentFailure,
  MIN_PAUSE,
  permanentPause,
  retryAfterOf,
  retryDelay,
  type Backoff,
} from '../../src/token/backoff.js';
import { mistake } from '../../src/token/tokenResponse.js';

const token = (lifetime: number) => accessToken({ access_token: 'a' }, 5, lifetime);
const backoff: Backoff = { initial: 250, max: 5000, factor: 2 };
const NOW = Date.parse('2026-01-01T00:00:00Z');

it('should never wait for ever, however long the outage and whatever the dice', () => {
  const backoff = { initial: 0, max: 1000, factor: 2 };
  expect(retryDelay(1025, backoff, { random: () => 0.5, remaining: Infinity })).toBe(50);
  expect(retryDelay(3, { ...backoff, initial: 250 }, { random: () => NaN, remaining: Infinity })).toBe(50);
});

describe('backoffOf', () => {
  const settings = { initial: 250, factor: 2, max: undefined };
  it.each([
    ['no token before', null, 10_000],
    ['30 s', token(30_000), 5000],
    ['an hour', token(3_600_000), 10_000],
    ['a minute', token(60_000), 10_000],
    ['0.6 s', token(600), 100],
    ['an unknown life', token(Infinity), 10_000],
    ['no life', token(0), 10_000],
  ])('should bound the pauses by a sixth of the last lifetime: %s', (_kind, previous, max) => {
    expect(backoffOf(settings, previous)).toEqual({ initial: 250, factor: 2, max });
  });

  it.each([0, 70, 1e6])('should take a max of %p as it is', (max) => {
    expect(backoffOf({ ...settings, max }, token(30_000)).max).toBe(max);
  });
});

describe('backoffStep', () => {
  it.each([
    [1, 250],
    [2, 500],
    [3, 1000],
    [5, 4000],
    [6, 5000],
    [7, 5000],
    [5000, 5000],
  ])('should be, after attempt %i, %i ms', (attempt, pause) => {
    expect(backoffStep(attempt, backoff)).toBe(pause);
  });

  it('should stay the same with a factor of 1, and be max where initial is more', () => {
    expect([1, 2, 50].map((attempt) => backoffStep(attempt, { ...backoff, factor: 1 }))).toEqual([250, 250, 250]);
    expect(backoffStep(1, { ...backoff, max: 100 })).toBe(100);
  });
});

describe('retryDelay', () => {
  it.each<[string, number, number, number, number | undefined, number]>([
    ['full jitter, the dice showing nearly 1', 1, 0.999, Infinity, undefined, 250],
    ['full jitter, the dice showing a half', 3, 0.5, Infinity, undefined, 500],
    ['the least, whatever the dice say', 3, 0, Infinity, undefined, MIN_PAUSE],
    ['the least, whatever life remains', 3, 0.5, 30, undefined, MIN_PAUSE],
    ['the least, when no life remains', 3, 0.5, -500, undefined, MIN_PAUSE],
    ['a third of the remaining life', 6, 0.999, 5000, undefined, 1667],
    ['what the server asked for, when it is more', 1, 0.5, Infinity, 7000, 7000],
    ['what the server asked for, though the token ends sooner', 1, 0.5, 3000, 7000, 7000],
    ['the dice, when the server asked for less', 6, 0.5, Infinity, 1000, 2500],
    ['the least, when the server asked for nothing', 1, 0, Infinity, 0, MIN_PAUSE],
  ])('should be %s', (_kind, attempt, dice, remaining, retryAfter, delay) => {
    expect(retryDelay(attempt, backoff, { random: () => dice, remaining, retryAfter })).toBe(delay);
  });

  it('should leave room for two more attempts before the end of a 30 s token', () => {
    // The renewal at 25 s failed after 0.2 s: 4.8 s remain, and each further failure takes as long.
    let remaining = 4800;
    for (const attempt of [1, 2]) {
      remaining -= retryDelay(attempt, { ...backoff, initial: 5000 }, { random: () => 0.999, remaining }) + 200;
      expect(remaining).toBeGreaterThan(0);
    }
  });

  it('should be whole milliseconds', () => {
    for (let i = 0; i < 100; i++)
      expect(Number.isInteger(retryDelay(1 + (i % 9), backoff, { random: () => i / 101, remaining: 100 * i }))).toBe(
        true,
      );
  });
});

describe('isPermanentFailure', () => {
  it.each(['invalid_client', 'invalid_grant', 'unauthorized_client', 'unsupported_grant_type', 'invalid_scope'])(
    'should be so for the OAuth error %s',
    (error) => {
      expect(isPermanentFailure(new TokenEndpointError('no', { error }))).toBe(true);
      expect(isPermanentFailure({ error })).toBe(true);
      expect(isPermanentFailure({ error, status: 503 })).toBe(true);
    },
  );

  it.each([400, 401, 403, 404, 405, 410, 418, 422, 451, 499])('should be so for the status %i', (status) => {
    expect(isPermanentFailure(Object.assign(new Error('no'), { status }))).toBe(true);
    expect(isPermanentFailure({ statusCode: status })).toBe(true);
    expect(isPermanentFailure({ response: { status } })).toBe(true);
    expect(isPermanentFailure({ response: { statusCode: status } })).toBe(true);
    expect(isPermanentFailure({ status, error: 'temporarily_unavailable' })).toBe(false);
  });

  it.each([408, 425, 429, 399, 500, 502, 503, 200, 302, 0])('should not be so for the status %i', (status) => {
    expect(isPermanentFailure({ status })).toBe(false);
  });

  it('should not be so for a nonce that is asked for: it is at hand the next time', () => {
    expect(isPermanentFailure({ status: 400, error: 'use_dpop_nonce' })).toBe(false);
  });

  it.each<[string, unknown]>([
    ['an Error without a status', new Error('invalid_client')],
    ['a TypeError of fetch', new TypeError('fetch failed')],
    ['an invalid response', new InvalidTokenResponseError('no')],
    ['another OAuth error', { error: 'temporarily_unavailable' }],
    ['an error code in another case', { error: 'Invalid_Client' }],
    ['an error that is no string', { error: ['invalid_client'] }],
    ['a status that is no number', { status: '400' }],
    ['a rate limit that comes as a 400', { status: 400, error: 'rate_limit_exceeded' }],
    ['a rate limit with a code that is permanent elsewhere', { status: 429, error: 'access_denied' }],
    ["a firewall's page", { status: 403, headers: { 'content-type': 'text/html' } }],
    ["a firewall's page in the body", { response: { status: 403, data: ' <!doctype html>' } }],
    ['a 500 with words', { status: 500, error: 'Internal Server Error' }],
    ['a token endpoint that said nothing of its reasons', new TokenEndpointError('no')],
    ['a string', 'invalid_client'],
    ['a number', 400],
    ['null', null],
    ['undefined', undefined],
  ])('should not be so for %s', (_kind, failure) => {
    expect(isPermanentFailure(failure)).toBe(false);
  });
});

describe('isPermanentFailure, wherever clients put what the server said', () => {
  it.each<[string, unknown]>([
    ['an OpenID code', { error: 'login_required' }],
    ['a dialect of invalid_grant', { error: 'bad_refresh_token' }],
    ["axios' error", { response: { status: 503, data: { error: 'invalid_client' } } }],
    ["axios' error with a body in text", { response: { status: 503, data: '{"error":"invalid_client"}' } }],
    ["got's error", { response: { statusCode: 401, body: '' } }],
    ["ky's error", { response: new Response(null, { status: 401 }) }],
    ['a 403 that says nothing', { status: 403 }],
    ['a 401 with a page', { status: 401, headers: { 'content-type': 'text/html' } }],
    ['a token response with an error that is prose', new TokenEndpointError('no', { error: 'Client unknown' })],
    ['a source that returned no token response', mistake('no')],
  ])('should be so for %s', (_kind, failure) => {
    expect(isPermanentFailure(failure)).toBe(true);
  });
});

describe('permanentPause', () => {
  const settings = { initial: 250, max: undefined, factor: 2 };

  it.each([
    [1, 250],
    [2, 500],
    [3, 1000],
    [8, 32_000],
    [9, 60_000],
    [5000, 60_000],
  ])('should be, after %i failures, %i ms, without jitter', (failures, pause) => {
    expect(permanentPause(failures, settings)).toBe(pause);
  });

  it('should be what the options and the server say', () => {
    expect(permanentPause(9, { ...settings, max: 5000 })).toBe(5000);
    expect(permanentPause(1, { ...settings, initial: 0 })).toBe(MIN_PAUSE);
    expect(permanentPause(1, settings, 7000)).toBe(7000);
    expect(permanentPause(9, settings, 7000)).toBe(60_000);
  });
});

describe('retryAfterOf', () => {
  it.each<[string, unknown]>([
    ['retryAfter', { retryAfter: 86_400_000 }],
    ['a number of seconds', { headers: { 'retry-after': '86400' } }],
    ['a date', { headers: { 'retry-after': new Date(NOW + 86_400_000).toUTCString() } }],
  ])('should believe a server for 5 minutes at most: %s', (_kind, failure) => {
    expect(retryAfterOf(failure, NOW)).toBe(300_000);
  });

  it.each(['0x10', '1e3', '-5', 'soon', ''])('should not read a header of %p', (value) => {
    expect(retryAfterOf({ headers: { 'retry-after': value } }, NOW)).toBeUndefined();
  });

  const headers = new Headers({ 'retry-after': '7' });
  it.each<[string, unknown, number | undefined]>([
    ['retryAfter in ms', new TokenEndpointError('later', { retryAfter: 1500 }), 1500],
    ['retryAfter of zero', { retryAfter: 0 }, 0],
    ['retryAfter before the header', { retryAfter: 5, headers }, 5],
    ['the header, where retryAfter is negative', { retryAfter: -1, headers }, 7000],
    ['the header, where retryAfter is NaN', { retryAfter: NaN, headers }, 7000],
    ['the header, where retryAfter is Infinity', { retryAfter: Infinity, headers }, 7000],
    ['the header, where retryAfter is no number', { retryAfter: '5', headers }, 7000],
    ['the header of a Response', new Response(null, { status: 503, headers }), 7000],
    ['the header of the response', { response: { headers } }, 7000],
    ['the header in a record', { headers: { 'retry-after': '7' } }, 7000],
    ['no header', new Response(null, { status: 503 }), undefined],
    ['an Error', new Error('x'), undefined],
    ['a string', '7', undefined],
    ['nothing', undefined, undefined],
  ])('should read %s', (_kind, failure, wait) => {
    expect(retryAfterOf(failure, NOW)).toBe(wait);
  });
});
