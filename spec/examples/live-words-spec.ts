import type { Lane, LiveEvent, Snapshot } from '../../examples/live/liveEvent.js';
import { duration, hueOf, letterOf } from '../../examples/live/page/names.js';
import { narrator } from '../../examples/live/page/narrator.js';
import { rowsOf, timeOfDay } from '../../examples/live/page/rows.js';
import { begin, caughtUp, heard, tidy } from '../../examples/live/page/state.js';
import { aftermath, describe as wordsFor } from '../../examples/live/page/words.js';
import { NOTHING } from '../../examples/live/counters.js';

const LANES: readonly Lane[] = [
  { name: 'ours', title: 'rx-fresh-token', summary: '' },
  { name: 'theirs', title: 'Status quo', summary: '' },
];
const snapshot = (events: readonly LiveEvent[], more: Partial<Snapshot> = {}): Snapshot => ({
  now: 10_000,
  intro: '',
  lanes: LANES,
  path: '/invoices',
  forbidden: false,
  sockets: true,
  counters: {},
  events,
  ...more,
});
const HAPPENED: readonly LiveEvent[] = [
  {
    type: 'token',
    lane: 'ours',
    at: 1_000,
    token: 0,
    id: '0a1b2c3d',
    issuedAt: 700,
    expiresAt: 8_700,
    reason: 'initial',
  },
  {
    type: 'token',
    lane: 'theirs',
    at: 1_100,
    token: 0,
    id: '4e5f6071',
    issuedAt: 700,
    expiresAt: null,
    reason: 'initial',
  },
  { type: 'sent', lane: 'ours', at: 2_000, request: 0, token: 0, path: '/orders', waited: 3, again: false },
  { type: 'answered', lane: 'ours', at: 2_060, request: 0, status: 201, waited: 3 },
  { type: 'fault', kind: 'revoke', at: 3_000, until: null, tokens: { ours: 0, theirs: 0 } },
  { type: 'sent', lane: 'theirs', at: 3_100, request: 0, token: 0, path: '/orders', waited: 320, again: true },
  { type: 'answered', lane: 'theirs', at: 3_160, request: 0, status: 403, waited: 320 },
  { type: 'refresh', lane: 'ours', at: 3_200, reason: 'rejected', attempt: 1 },
  { type: 'failure', lane: 'ours', at: 3_350, attempt: 1, message: 'the token endpoint answered 503', retryIn: 210 },
];

describe('the table', () => {
  it('should say what happened, the latest first, without the requests that went well', () => {
    const { story } = begin(snapshot(HAPPENED), 0);
    expect(
      rowsOf(story, LANES, false).map(({ client, what, token, details, bad }) => [client, what, token, details, bad]),
    ).toEqual([
      [
        'rx-fresh-token',
        'No token',
        '',
        'attempt 1 failed: the token endpoint answered 503; next attempt in 210 ms',
        true,
      ],
      ['Status quo', 'Repeat refused (403)', 'A', '/orders with token A, waited 320 ms', true],
      ['You', 'Token revoked', 'A, A', 'the API refuses it from here on', false],
      ['Status quo', 'Token A', 'A', 'the first in 400 ms, its life is unknown, in use · 4e5f6071', false],
      ['rx-fresh-token', 'Token A', 'A', 'the first in 300 ms, lives 8 s, in use · 0a1b2c3d', false],
    ]);
  });

  it('should list every request when asked to, at most a hundred rows, each with a key of its own', () => {
    const { story } = begin(snapshot(HAPPENED), 0);
    expect(rowsOf(story, LANES, true).map(({ what }) => what)).toContain('Request accepted');
    const many = Array.from({ length: 150 }, (_, request): LiveEvent[] => [
      { type: 'sent', lane: 'ours', at: 4_000, request, token: 0, path: '/', waited: 0, again: false },
      { type: 'answered', lane: 'ours', at: 4_000, request, status: 500, waited: 0 },
    ]).flat();
    const rows = rowsOf(begin(snapshot([...HAPPENED, ...many]), 0).story, LANES, true);
    expect(rows).toHaveLength(100);
    expect(new Set(rows.map(({ key }) => key)).size).toBe(100);
  });

  it('should name the time of day to a tenth of a second', () => {
    expect(timeOfDay(new Date(2026, 0, 2, 3, 4, 5, 678).getTime())).toBe('03:04:05.6');
  });
});

describe('what the page knows', () => {
  it('should count what the snapshot counted before, and what comes after', () => {
    const state = begin(snapshot(HAPPENED, { counters: { ours: { ...NOTHING, accepted: 5, longestWait: 900 } } }), 0);
    expect(state.counters).toEqual({
      ours: { accepted: 6, refused: 0, failed: 0, tokens: 1, longestWait: 900, missed: 0 },
      theirs: { accepted: 0, refused: 1, failed: 0, tokens: 1, longestWait: 0, missed: 0 },
    });
    expect(
      heard(state, { type: 'answered', lane: 'ours', at: 9_000, request: 8, status: 0, waited: 0 }).counters.ours
        ?.failed,
    ).toBe(1);
  });

  it('should go with the clock of the run, which jumps when the machine sleeps', () => {
    const slept: LiveEvent = { type: 'fault', kind: 'sleep', at: 11_000, until: 23_000 };
    const state = begin(snapshot([]), 400);
    expect(state.ahead).toBe(9_600);
    expect(heard(state, slept).ahead).toBe(21_600);
    // What the snapshot tells of is in its clock already.
    expect(begin(snapshot([slept], { now: 24_000 }), 400).ahead).toBe(23_600);
  });

  it('should never be behind what has happened', () => {
    const state = begin(snapshot([]), 400);
    const event: LiveEvent = { type: 'answered', lane: 'ours', at: 10_050, request: 0, status: 201, waited: 0 };
    expect(caughtUp(state, event, 440).ahead).toBe(9_610);
    expect(caughtUp(state, event, 460).ahead).toBe(9_600);
  });

  it('should know whether the path is forbidden', () => {
    const forbid: LiveEvent = { type: 'fault', kind: 'forbid', at: 1, until: null, path: '/invoices' };
    expect(heard(begin(snapshot([]), 0), forbid).forbidden).toBe(true);
    expect(heard(begin(snapshot([forbid], { forbidden: true }), 0), { ...forbid, kind: 'allow' }).forbidden).toBe(
      false,
    );
  });

  it('should not grow for ever', () => {
    const state = begin(snapshot(HAPPENED), 0);
    expect(tidy(state, 3_600_000).story.lanes.ours.requests).toEqual([]);
    expect(tidy(state, 3_600_000).story.lanes.ours.tokens).toHaveLength(1);
  });
});

describe('the words', () => {
  it('should compare what came of a press', () => {
    const told = aftermath(
      LANES,
      { ours: NOTHING, theirs: { ...NOTHING, refused: 3 } },
      { ours: { ...NOTHING, refused: 1, tokens: 1 }, theirs: { ...NOTHING, refused: 9, tokens: 4 } },
    );
    expect(told).toBe(
      'Since then, rx-fresh-token: 1 refused, 1 token fetched; Status quo: 6 refused, 4 tokens fetched.',
    );
  });

  it('should say what came of an outage when it has ended', () => {
    jest.useFakeTimers();
    const line = { textContent: '' };
    const state = begin(snapshot([], { counters: { ours: NOTHING, theirs: NOTHING } }), 0);
    let refused = 0;
    narrator(line as Element)({ type: 'fault', kind: 'outage', at: 10_000, until: 18_000 }, () => ({
      ...state,
      counters: { ours: { ...NOTHING, refused } },
    }));
    jest.advanceTimersByTime(8_000);
    expect(line.textContent).toBe('The token endpoint is down for 8 s.');
    refused = 1;
    jest.advanceTimersByTime(6_000);
    expect(line.textContent).toContain('Since then, rx-fresh-token: 1 refused');
    jest.useRealTimers();
  });

  it('should call tokens by letter, and the 27th not by the name of the first', () => {
    expect([0, 25, 26, 53, -1].map(letterOf)).toEqual(['A', 'Z', 'A2', 'B3', '?']);
    expect([0, 4, 5, -1].map(hueOf)).toEqual(['hue-0', 'hue-4', 'hue-0', 'hue-none']);
    expect([12.4, 999, 8_000, 12_340, 300_000, 7_200_000].map(duration)).toEqual([
      '12 ms',
      '1 s',
      '8 s',
      '12.3 s',
      '5 min',
      '2 h',
    ]);
  });

  it('should name each lane its own revoked token', () => {
    const mark = { kind: 'fault', fault: 'revoke', at: 0, until: 0, tokens: { ours: 2, theirs: 4 }, path: '' } as const;
    expect([wordsFor(mark, 'ours').what, wordsFor(mark, 'theirs').what]).toEqual(['C revoked', 'E revoked']);
  });
});
