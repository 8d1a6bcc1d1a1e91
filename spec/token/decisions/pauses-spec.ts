import { TokenUnavailableError } from '../../../src/errors.js';
import { accessToken } from '../../../src/token/decisions/accessToken.js';
import { LEAST_PAUSE_AFTER_FAILURE } from '../../../src/token/decisions/backoff.js';
import { settingsOf } from '../../../src/token/options.js';
import { delayUntilCheck, earlyEndOfPause, pauseAfter } from '../../../src/token/decisions/pauses.js';
import type { ReceivedToken } from '../../../src/token/decisions/receivedToken.js';
import { initialState, type StreamState } from '../../../src/token/decisions/state.js';
import { held, refresh, stateOf } from '../support.js';

const backoff = { initial: 250, max: 5000, factor: 2 };
const defaults = { initial: 250, factor: 2, max: undefined };

describe('pauseAfter', () => {
  const NOW = 1000;

  interface Case {
    failures?: number;
    settings?: { initial: number; max: number | undefined; factor: number };
    /** Of the last token. */
    lifetime?: number;
    /** How long the token at hand is usable still, and how long it lives. Default: there is none. */
    usableFor?: number;
    livesFor?: number;
    permanent?: boolean;
    shareOfStep?: number;
    retryAfter?: number;
  }

  function pause({ failures = 1, settings = backoff, lifetime, usableFor, livesFor = usableFor, ...failure }: Case) {
    const state = { ...initialState(), failures };
    const tokenOf = (life: number) => accessToken({ access_token: 'a' }, 5, life);
    if (lifetime !== undefined) state.last = { token: tokenOf(lifetime) } as ReceivedToken;
    if (usableFor !== undefined && livesFor !== undefined)
      state.held = { isSuspended: false, usableUntil: NOW + usableFor, endsAt: NOW + livesFor } as ReceivedToken;
    return pauseAfter(state, { permanent: false, ...failure }, { backoff: settings }, NOW);
  }

  it.each<[string, Case, number]>([
    ['full jitter, of nearly 1', { shareOfStep: 0.999 }, 250],
    ['full jitter, of a half', { failures: 3, shareOfStep: 0.5 }, 500],
    ['the least, whatever the jitter', { failures: 3, shareOfStep: 0 }, LEAST_PAUSE_AFTER_FAILURE],
    ['the least, whatever life remains', { failures: 3, shareOfStep: 0.5, usableFor: 30 }, LEAST_PAUSE_AFTER_FAILURE],
    ['a third of the remaining life', { failures: 6, shareOfStep: 0.999, usableFor: 1, livesFor: 5000 }, 1667],
    [
      'as without a token, where that is over',
      { failures: 6, shareOfStep: 0.999, usableFor: -1, livesFor: 5000 },
      4995,
    ],
    ['what the server asked for, when it is more', { shareOfStep: 0.5, retryAfter: 7000 }, 7000],
    ['what the server asked for, though the token ends sooner', { usableFor: 3000, retryAfter: 7000 }, 7000],
    ['the jittered step, when the server asked for less', { failures: 6, shareOfStep: 0.5, retryAfter: 1000 }, 2500],
    ['the least, when the server asked for nothing', { shareOfStep: 0, retryAfter: 0 }, LEAST_PAUSE_AFTER_FAILURE],
    ['finite, however long the outage', { failures: 1025, shareOfStep: 0.5, settings: { ...backoff, initial: 0 } }, 50],
  ])('should be %s', (_kind, failed, expected) => {
    expect(pause(failed)).toBe(expected);
  });

  it.each<[string, number | undefined, number]>([
    ['no token before', undefined, 10_000],
    ['30 s', 30_000, 5000],
    ['an hour', 3_600_000, 10_000],
    ['a minute', 60_000, 10_000],
    ['0.6 s', 600, 100],
    ['an unknown life', Infinity, 10_000],
    ['no life', 0, 10_000],
  ])('should be at most a sixth of the last lifetime by default: %s', (_kind, lifetime, longest) => {
    expect(pause({ failures: 99, settings: defaults, ...(lifetime !== undefined && { lifetime }) })).toBe(longest);
  });

  it.each([70, 1e6])('should take a max of %p as it is', (max) => {
    expect(pause({ failures: 99, settings: { ...defaults, max }, lifetime: 30_000 })).toBe(max);
  });

  it('should leave room for two more attempts before the end of a 30 s token', () => {
    // The renewal at 25 s failed after 0.2 s: 4.8 s remain, and each further failure takes as long.
    let left = 4800;
    for (const failures of [1, 2]) {
      left -= pause({ failures, settings: { ...backoff, initial: 5000 }, shareOfStep: 0.999, usableFor: left }) + 200;
      expect(left).toBeGreaterThan(0);
    }
  });

  it('should be whole milliseconds', () => {
    for (let i = 0; i < 100; i++)
      expect(Number.isInteger(pause({ failures: 1 + (i % 9), shareOfStep: i / 101, usableFor: 100 * i }))).toBe(true);
  });

  describe('after a permanent failure', () => {
    const refused = (failed: Case) => pause({ settings: defaults, permanent: true, ...failed });

    it.each([
      [1, 250],
      [2, 500],
      [3, 1000],
      [8, 32_000],
      [9, 60_000],
      [5000, 60_000],
    ])('should be, the %i. in a row, %i ms, whatever the last lifetime', (failures, expected) => {
      expect(refused({ failures, lifetime: 600 })).toBe(expected);
    });

    it('should be what the options and the server say', () => {
      expect(refused({ failures: 9, settings: { ...defaults, max: 5000 } })).toBe(5000);
      expect(refused({ settings: { ...defaults, initial: 0 } })).toBe(LEAST_PAUSE_AFTER_FAILURE);
      expect(refused({ retryAfter: 7000 })).toBe(7000);
      expect(refused({ failures: 9, retryAfter: 7000 })).toBe(60_000);
    });

    it('should not outlast the use of the token at hand, and be no shorter than the first one', () => {
      expect(refused({ failures: 9, usableFor: 20_000, livesFor: 30_000 })).toBe(20_000);
      expect(refused({ failures: 9, usableFor: 20_000.6 })).toBe(20_000);
      expect(refused({ failures: 9, usableFor: 20 })).toBe(250);
      expect(refused({ failures: 9, usableFor: 20_000, retryAfter: 30_000 })).toBe(30_000);
    });
  });
});

describe('earlyEndOfPause', () => {
  const at = { failures: 1, lastFetchAt: 1000, pausedUntil: 11_200 };

  it.each<[string, Partial<StreamState>, number, number]>([
    ['one first pause after the last attempt was begun', at, 250, 1250],
    ['at once, where the attempt took longer than that', at, 100, 1100],
    ['no sooner than 50 ms after it', at, 0, 1050],
    ['at its end, where that comes first', { ...at, pausedUntil: 1220 }, 250, 1220],
    ['not at all, where it follows no failure', { ...at, failures: 0 }, 250, 11_200],
  ])('should be %s', (_kind, changes, initial, end) => {
    expect(earlyEndOfPause(stateOf(changes), { initial, max: undefined, factor: 2 })).toBe(end);
  });
});

describe('delayUntilCheck', () => {
  const paused = { pausedUntil: 250 };
  const permanentFailure = new TokenUnavailableError('no');

  it.each<[string, Partial<StreamState>, number]>([
    ['no pause', { subscribers: 1 }, 0],
    ['a pause, and a subscriber', { ...paused, subscribers: 1 }, 150],
    ['the end of a pause', { pausedUntil: 100, subscribers: 1 }, 0],
    ['a pause, and nobody wants a token', paused, 0],
    ['the same, but a refresh goes on: a rejected request may join it', { ...paused, refresh }, 150],
    ['the same, but the token at hand is fresh', { ...paused, held: held(), last: held() }, 150],
    ['the same, with a failure since it came', { ...paused, held: held(), last: held(), failures: 1 }, 0],
    ['a pause after a permanent failure', { ...paused, subscribers: 1, permanentFailure }, 0],
    ['the same, during a refresh', { ...paused, subscribers: 1, permanentFailure, refresh }, 0],
  ])('should be decided by %s', (_kind, changes, delay) => {
    expect(delayUntilCheck(Object.freeze(stateOf(changes)), 100, settingsOf({}))).toBe(delay);
  });
});
