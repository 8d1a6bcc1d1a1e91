import { LANE, oldestInSight, shiftOf, strip, tickLabel, ticksOf, viewOf } from '../../examples/live/page/view.js';
import { inOrder, labelX, nearest, neighbour, shapesOf, type LaneShapes } from '../../examples/live/page/shapes.js';
import type { FaultMark, LaneStory, RequestMark, TokenMark } from '../../examples/live/page/story.js';

const x = (at: number): number => at / 10;
const token: TokenMark = {
  kind: 'token',
  at: 1_000,
  token: 0,
  id: 'a',
  reason: 'initial',
  issuedAt: 700,
  expiresAt: 8_700,
  end: null,
  fate: 'current',
};
const request: RequestMark = {
  kind: 'request',
  at: 2_000,
  request: 0,
  token: 0,
  path: '/',
  waited: 3,
  again: false,
  status: 201,
};
const fault: FaultMark = { kind: 'fault', fault: 'outage', at: 3_000, until: 8_000, tokens: undefined, path: '' };
const draw = (lane: Partial<LaneStory>, faults: readonly FaultMark[] = []): LaneShapes =>
  shapesOf('ours', { tokens: [], attempts: [], requests: [], sockets: [], ...lane }, faults, x);

describe('the view', () => {
  it('should put now and every time before it where the axis says', () => {
    for (const width of [1_100, 340]) {
      const view = viewOf(width);
      const now = 500_000;
      const place = (at: number): number => strip(490_000, view)(at) + shiftOf(490_000, now, view);
      expect(place(now)).toBeCloseTo(view.nowX);
      expect(place(now - 5_000)).toBeCloseTo(view.axis(-5));
      expect(view.axis(0)).toBeCloseTo(view.nowX);
      expect(place(oldestInSight(now, view))).toBeLessThan(-LANE.radius);
    }
  });

  it('should leave room for what is to come, on a phone too', () => {
    for (const width of [1_100, 340]) expect(viewOf(width).axis.invert(width)).toBeGreaterThan(4);
  });

  it('should cut no label of the axis off', () => {
    for (const width of [320, 341, 700, 1_111]) {
      const view = viewOf(width);
      expect(ticksOf(view).length).toBeGreaterThanOrEqual(3);
      for (const seconds of ticksOf(view))
        expect(Math.min(view.axis(seconds), width - view.axis(seconds))).toBeGreaterThanOrEqual(20);
    }
    expect([-5, 0, 5].map(tickLabel)).toEqual(['−5 s', 'now', '+5 s']);
  });
});

describe('the shapes of a lane', () => {
  it('should draw a life from when the token was asked for until its end, used until it was replaced', () => {
    expect(draw({ tokens: [token] }).tokens[0]).toMatchObject({
      asked: 70,
      x: 100,
      used: 870,
      end: 870,
      letter: 'A',
      hue: 'hue-0',
    });
    expect(draw({ tokens: [{ ...token, end: 5_000 }] }).tokens[0]).toMatchObject({ used: 500, end: 870 });
    // Nobody used it after its end.
    expect(draw({ tokens: [{ ...token, end: 9_000 }] }).tokens[0]).toMatchObject({ used: 870, end: 870 });
    expect(Number.isFinite(draw({ tokens: [{ ...token, expiresAt: Infinity }] }).tokens[0]?.end)).toBe(true);
  });

  it('should hand on from track to track, and put an attempt where its token would have been', () => {
    const { tokens, attempts } = draw({
      // That others came since does not move it.
      tokens: [token, { ...token, token: 1 }, { ...token, token: 2 }, { ...token, token: 3 }],
      attempts: [
        {
          kind: 'attempt',
          at: 4_000,
          attempt: 1,
          reason: 'scheduled',
          end: 4_200,
          message: '',
          retryIn: null,
          after: 2,
        },
        {
          kind: 'attempt',
          at: 4_500,
          attempt: 2,
          reason: 'scheduled',
          end: null,
          message: '',
          retryIn: null,
          after: 2,
        },
      ],
    });
    expect(tokens.map(({ y }) => y)).toEqual([...LANE.tracks, ...LANE.tracks]);
    expect(attempts.map(({ asked, x: end, y }) => [asked, end, y])).toEqual([[400, 420, LANE.tracks[0]]]);
  });

  it.each([
    [null, 'pending'],
    [201, 'accepted'],
    [401, 'refused'],
    [403, 'refused'],
    [500, 'failed'],
    [0, 'failed'],
  ] as const)('should draw a request with status %p as %s', (status, outcome) => {
    expect(draw({ requests: [{ ...request, status }] }).requests[0]).toMatchObject({ outcome, x: 200, hue: 'hue-0' });
  });

  it('should give a request a tail for a wait that can be noticed', () => {
    expect(draw({ requests: [request] }).requests[0]?.asked).toBe(200);
    expect(draw({ requests: [{ ...request, waited: 300 }] }).requests[0]?.asked).toBe(170);
  });

  it('should write no label over another', () => {
    const { faults } = draw({}, [
      fault,
      { ...fault, fault: 'revoke', at: 3_200 },
      { ...fault, at: 4_000 },
      { ...fault, at: 9_000 },
    ]);
    expect(faults.map(({ y }) => y)).toEqual([LANE.labels[0], LANE.labels[1], LANE.labels[1], LANE.labels[0]]);
    expect(faults[0]).toMatchObject({ x: 300, end: 800, label: 'token endpoint down' });
  });

  it('should keep a label in sight as long as its band, unless the next one needs the room', () => {
    const { faults } = draw({}, [fault, { ...fault, at: 6_000, until: 11_000 }]);
    const at = (n: number, edge: number) => labelX(faults[n]!, faults, edge);
    expect([0, 310, 400, 700].map((edge) => at(0, edge))).toEqual([300, 310, 400, 447.5]);
    expect([0, 700, 1_200].map((edge) => at(1, edge))).toEqual([600, 700, null]);
  });

  it('should write the later label where three faults are too close for two rows', () => {
    const { faults } = draw(
      {},
      [3_000, 3_100, 3_200].map((at) => ({ ...fault, at })),
    );
    expect(faults.map((shape) => labelX(shape, faults, 0))).toEqual([null, 310, 320]);
  });
});

describe('pointing at shapes', () => {
  const shapes = inOrder(
    draw({ tokens: [token], requests: [request, { ...request, request: 1, at: 2_100 }] }, [fault]),
  );

  it('should find the nearest within reach, or none', () => {
    expect(nearest(shapes, 201, 130)?.key).toBe('request-0');
    expect(nearest(shapes, 207, 130)?.key).toBe('request-1');
    expect(nearest(shapes, 100, LANE.tracks[0])?.key).toBe('token-0');
    expect(nearest(shapes, 600, 130)).toBeUndefined();
  });

  it('should step through them in the order of time, from the latest, and stop at both ends', () => {
    expect(neighbour(shapes, null, -1)?.key).toBe('fault-outage-3000');
    expect(neighbour(shapes, 'fault-outage-3000', -1)?.key).toBe('request-1');
    expect(neighbour(shapes, 'token-0', -1)?.key).toBe('token-0');
    expect(neighbour(shapes, 'fault-outage-3000', 1)?.key).toBe('fault-outage-3000');
    expect(neighbour([], null, 1)).toBeUndefined();
  });
});

it('a WebSocket should be drawn from when it opened to its last message, or to its end', () => {
  const open = {
    kind: 'socket',
    at: 1_000,
    token: 0,
    latest: 1,
    messages: [1_000, 1_500],
    missed: 0,
    end: null,
  } as const;
  const { sockets } = draw({ sockets: [open, { ...open, at: 2_000, messages: [2_000], end: 2_400 }] });
  expect(sockets.map(({ x: from, end, isOpen, hue, messages }) => [from, end, isOpen, hue, messages])).toEqual([
    [100, 150, true, 'hue-1', [100, 150]],
    [200, 240, false, 'hue-1', [200]],
  ]);
  expect(inOrder(draw({ sockets: [open] })).map(({ key }) => key)).toEqual(['socket-1000']);
});
