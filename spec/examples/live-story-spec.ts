import type { LaneEvent, LiveEvent } from '../../examples/live/liveEvent.js';
import { EMPTY_STORY, since, tell, type Story } from '../../examples/live/page/story.js';

const told = (...events: LiveEvent[]): Story => events.reduce(tell, EMPTY_STORY);
const token = (number: number, at: number, more: Partial<Extract<LaneEvent, { type: 'token' }>> = {}): LiveEvent => ({
  type: 'token',
  lane: 'ours',
  at,
  token: number,
  id: `id-${number}`,
  issuedAt: at - 300,
  expiresAt: at + 7_700,
  reason: number === 0 ? 'initial' : 'scheduled',
  ...more,
});
const sent = (request: number, at: number): LiveEvent => ({
  type: 'sent',
  lane: 'ours',
  at,
  request,
  token: 0,
  path: '/orders',
  waited: 1,
  again: false,
});
const answered = (request: number, at: number, status: number): LiveEvent => ({
  type: 'answered',
  lane: 'ours',
  at,
  request,
  status,
  waited: 1,
});

describe('the story of the events', () => {
  it('should end a token when its successor arrives, and keep the lanes apart', () => {
    const { lanes } = told(token(0, 1_000), token(1, 7_000), token(0, 2_000, { lane: 'theirs' }));
    expect(lanes.ours.tokens.map(({ token: number, end, fate }) => [number, end, fate])).toEqual([
      [0, 7_000, 'renewed'],
      [1, null, 'current'],
    ]);
    expect(lanes.theirs.tokens.map(({ end }) => end)).toEqual([null]);
  });

  it.each([
    ['renewed', 'scheduled', 5_000],
    ['refused', 'rejected', 5_000],
    ['ended', 'rejected', 9_000],
    // A JWT's end is rounded to the second before it.
    ['ended', 'rejected', 7_800],
    ['ended', 'expired', 9_000],
  ] as const)('should know that a token was %s when the next was fetched as %s at %i', (fate, reason, at) => {
    expect(told(token(0, 1_000), token(1, at, { reason })).lanes.ours.tokens[0]?.fate).toBe(fate);
  });

  it('should tell of an attempt only when it failed', () => {
    const asked: LiveEvent = { type: 'refresh', lane: 'ours', at: 100, reason: 'scheduled', attempt: 1 };
    const failed: LiveEvent = { type: 'failure', lane: 'ours', at: 250, attempt: 1, message: '503', retryIn: 200 };
    expect(told(asked, token(0, 400)).lanes.ours.attempts).toEqual([]);
    const { attempts } = told(asked, failed, { ...asked, at: 450, attempt: 2 }, token(0, 700)).lanes.ours;
    expect(attempts).toEqual([
      { kind: 'attempt', at: 100, end: 250, attempt: 1, reason: 'scheduled', message: '503', retryIn: 200, after: 0 },
    ]);
  });

  it('should answer the request that was sent, and no other', () => {
    const { requests } = told(sent(0, 100), sent(1, 110), answered(1, 150, 403)).lanes.ours;
    expect(requests.map(({ status }) => status)).toEqual([null, 403]);
  });

  it('should let a forbidden path last until it is allowed', () => {
    const forbid: LiveEvent = { type: 'fault', kind: 'forbid', at: 100, until: null, path: '/a' };
    expect(told(forbid).faults[0]?.until).toBe(Infinity);
    expect(told(forbid, { ...forbid, kind: 'allow', at: 300 }).faults.map(({ at, until }) => [at, until])).toEqual([
      [100, 300],
    ]);
  });

  it('should forget what is over, but never the token in use', () => {
    const revoke: LiveEvent = { type: 'fault', kind: 'revoke', at: 100, until: null, tokens: { ours: 0 } };
    const outage: LiveEvent = { type: 'fault', kind: 'outage', at: 100, until: 60_000 };
    const story = told(
      token(0, 1_000),
      token(1, 7_000, { expiresAt: 15_000 }),
      sent(0, 1_000),
      sent(1, 30_000),
      revoke,
      outage,
    );
    const { lanes, faults } = since(story, 20_000);
    expect(lanes.ours.tokens.map(({ token: number }) => number)).toEqual([1]);
    expect(lanes.ours.requests.map(({ request }) => request)).toEqual([1]);
    expect(faults.map(({ fault }) => fault)).toEqual(['outage']);
    // Replaced, but it has life left that is in sight.
    expect(since(story, 8_500).lanes.ours.tokens).toHaveLength(2);
    const endless = told(token(0, 1_000, { expiresAt: null }), token(1, 7_000));
    expect(since(endless, 8_000).lanes.ours.tokens.map(({ token: number }) => number)).toEqual([1]);
  });
});

describe('a WebSocket', () => {
  const socket = (what: 'opened' | 'message' | 'renewed' | 'ended', at: number, token = 0, missed = 0): LiveEvent => ({
    type: 'socket',
    lane: 'ours',
    at,
    what,
    token,
    missed,
  });

  it('should be one mark from when it opens until it ends, with its messages and the tokens that it was told', () => {
    const story = told(
      socket('opened', 100),
      socket('message', 100),
      socket('renewed', 300, 1),
      socket('message', 600),
    );
    expect(story.lanes.ours.sockets).toEqual([
      { kind: 'socket', at: 100, token: 0, latest: 1, messages: [100, 600], missed: 0, end: null },
    ]);
    const after = [socket('ended', 700, 1), socket('opened', 900, 2), socket('message', 900, 2, 3)].reduce(tell, story);
    expect(after.lanes.ours.sockets.map(({ at, end, missed }) => [at, end, missed])).toEqual([
      [100, 700, 0],
      [900, null, 3],
    ]);
    expect(since(after, 800).lanes.ours.sockets.map(({ at }) => at)).toEqual([900]);
  });
});
