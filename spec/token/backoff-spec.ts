import { accessToken } from '../../src/token/accessToken.js';
import {
  backoffOf,
  backoffStep,
  MIN_PAUSE,
  permanentPause,
  retryDelay,
  type Backoff,
} from '../../src/token/backoff.js';

const token = (lifetime: number) => accessToken({ access_token: 'a' }, 5, lifetime);
const backoff: Backoff = { initial: 250, max: 5000, factor: 2 };

it('should never wait for ever, however long the outage', () => {
  const backoff = { initial: 0, max: 1000, factor: 2 };
  expect(retryDelay(1025, backoff, { jitter: 0.5, remaining: Infinity })).toBe(50);
});

describe('backoffOf', () => {
  const settings = { initial: 250, factor: 2, max: undefined };
  it.each([
    ['no token before', undefined, 10_000],
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
    expect(retryDelay(attempt, backoff, { jitter: dice, remaining, retryAfter })).toBe(delay);
  });

  it('should leave room for two more attempts before the end of a 30 s token', () => {
    // The renewal at 25 s failed after 0.2 s: 4.8 s remain, and each further failure takes as long.
    let remaining = 4800;
    for (const attempt of [1, 2]) {
      remaining -= retryDelay(attempt, { ...backoff, initial: 5000 }, { jitter: 0.999, remaining }) + 200;
      expect(remaining).toBeGreaterThan(0);
    }
  });

  it('should be whole milliseconds', () => {
    for (let i = 0; i < 100; i++)
      expect(Number.isInteger(retryDelay(1 + (i % 9), backoff, { jitter: i / 101, remaining: 100 * i }))).toBe(true);
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
    expect(permanentPause(failures, settings, { remaining: Infinity })).toBe(pause);
  });

  it('should be what the options and the server say', () => {
    const remaining = Infinity;
    expect(permanentPause(9, { ...settings, max: 5000 }, { remaining })).toBe(5000);
    expect(permanentPause(1, { ...settings, initial: 0 }, { remaining })).toBe(MIN_PAUSE);
    expect(permanentPause(1, settings, { remaining, retryAfter: 7000 })).toBe(7000);
    expect(permanentPause(9, settings, { remaining, retryAfter: 7000 })).toBe(60_000);
  });

  it('should not outlast the use of the token at hand, and be no shorter than the first one', () => {
    expect(permanentPause(9, settings, { remaining: 20_000 })).toBe(20_000);
    expect(permanentPause(9, settings, { remaining: 20 })).toBe(250);
    expect(permanentPause(9, settings, { remaining: 20_000, retryAfter: 30_000 })).toBe(30_000);
  });
});
