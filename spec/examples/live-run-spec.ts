import { createButtons } from '../../examples/live/buttons.js';
import { parseArguments } from '../../examples/live/cli.js';
import { createFaults } from '../../examples/live/faults.js';
import { forget, NO_HISTORY, remember } from '../../examples/live/history.js';
import { liveClock } from '../../examples/live/liveClock.js';
import type { LaneEvent, LiveEvent } from '../../examples/live/liveEvent.js';
import { ourEvent } from '../../examples/live/ourEvents.js';
import { watchTokens } from '../../examples/live/theirTokens.js';
import { fingerprint, tokenRegistry } from '../../examples/live/tokenRegistry.js';
import { watchedNetwork } from '../../examples/live/watchedNetwork.js';
import { of } from 'rxjs';
import { createTokenStream, type TokenEvent } from '../../src/index.js';

const SECRET = 'never-to-be-seen-4711';

function rig() {
  let system = 1_000_000;
  let cuts = 0;
  const clock = liveClock(() => system);
  const registry = tokenRegistry();
  const faults = createFaults(clock);
  const events: LiveEvent[] = [];
  const emit = (event: LaneEvent): void => void events.push(event);
  const network = watchedNetwork({ lane: 'ours', clock, faults, registry, emit, waited: () => 0 });
  const note = (value: string, life: number) =>
    registry.add(value, { id: fingerprint(value), expiresAt: clock.now() + life, slept: clock.slept });
  const ask = (value: string, path = '/orders') =>
    network.api(`https://api.example${path}?q=${SECRET}`, {
      method: 'POST',
      body: '{}',
      headers: { authorization: `Bearer ${value}`, 'idempotency-key': path },
    });
  return {
    cuts: () => cuts,
    clock,
    registry,
    faults,
    events,
    emit,
    network,
    note,
    ask,
    pass: (ms: number) => void (system += ms),
    buttons: createButtons({ clock, faults, registries: { ours: registry }, path: '/invoices', cut: () => cuts++ }),
  };
}

let served: jest.SpyInstance<Promise<Response>>;
beforeEach(() => {
  served = jest
    .spyOn(globalThis, 'fetch')
    .mockImplementation(() => Promise.resolve(new Response('{}', { status: 201 })));
});
afterEach(() => served.mockRestore());

describe('the network that is watched', () => {
  it('should tell of each request by the number of its token, and never by its secret', async () => {
    const { ask, note, events } = rig();
    note('another', 8_000);
    note(SECRET, 8_000);
    await ask(SECRET);
    expect(events).toMatchObject([
      { type: 'sent', token: 1, path: '/orders', again: false },
      { type: 'answered', request: 0, status: 201 },
    ]);
    expect(JSON.stringify(events)).not.toContain('4711');
  });

  it('should mark the repeat of a request that was not accepted', async () => {
    const { ask, note, events, buttons } = rig();
    note('a', 8_000);
    buttons.revoke();
    await ask('a');
    note('b', 8_000);
    await ask('b');
    expect(events.filter(({ type }) => type === 'sent')).toMatchObject([{ again: false }, { again: true }]);
  });

  it('should tell of a request that nobody answers, and pass the failure on', async () => {
    const { ask, events } = rig();
    served.mockRejectedValue(new TypeError('fetch failed'));
    await expect(ask('a')).rejects.toThrow('fetch failed');
    expect(events.at(-1)).toMatchObject({ type: 'answered', status: 0 });
  });
});

describe('the buttons', () => {
  it('should revoke the token in use and no later one, without a word to the server', async () => {
    const { ask, note, buttons } = rig();
    note('a', 8_000);
    expect(buttons.revoke()).toMatchObject({ kind: 'revoke', tokens: { ours: 0 } });
    expect((await ask('a')).status).toBe(403);
    expect(served).not.toHaveBeenCalled();
    note('b', 8_000);
    expect((await ask('b')).status).toBe(201);
  });

  it.each([
    ['outage', 2_000],
    ['longOutage', 8_000],
  ] as const)('should break the token endpoint: %s, %d ms', async (button, length) => {
    const { network, buttons, pass } = rig();
    expect(buttons[button]()).toMatchObject({ at: 1_000_000, until: 1_000_000 + length });
    pass(length - 1);
    expect((await network.token('https://auth.example/token')).status).toBe(503);
    pass(1);
    expect((await network.token('https://auth.example/token')).status).toBe(201);
  });

  it('should cut the connections', () => {
    const { buttons, cuts } = rig();
    expect(buttons.cut()).toMatchObject({ kind: 'cut', until: null });
    expect(cuts()).toBe(1);
  });

  it('should forbid one path, and allow it again', async () => {
    const { ask, buttons } = rig();
    expect(buttons.forbid()).toMatchObject({ kind: 'forbid', path: '/invoices' });
    expect([(await ask('a', '/invoices')).status, (await ask('a')).status]).toEqual([403, 201]);
    expect(buttons.forbid()).toMatchObject({ kind: 'allow' });
    expect((await ask('a', '/invoices')).status).toBe(201);
  });

  it.each([
    [8_000, 12_000],
    [3_600_000, 3_602_000],
    [Infinity, 12_000],
  ])('should sleep past the end of a token with %p ms of life: %i ms', async (life, slept) => {
    const { ask, note, buttons, clock } = rig();
    note('a', life);
    const before = clock.now();
    expect(buttons.sleep()).toMatchObject({ kind: 'sleep', at: before, until: before + slept });
    expect(clock.now()).toBe(before + slept);
    // The real server would still take it: it did not sleep.
    expect((await ask('a')).status).toBe(life === Infinity ? 201 : 403);
    note('b', 8_000);
    expect((await ask('b')).status).toBe(201);
  });
});

it('should leave it to the API whether a token is over, unless the machine slept', async () => {
  const { ask, note, pass } = rig();
  note('a', 8_000);
  pass(9_000);
  expect((await ask('a')).status).toBe(201);
  expect(served).toHaveBeenCalledTimes(1);
});

describe('the tokens of the status quo', () => {
  const answer =
    (body: object, status = 200) =>
    () =>
      Promise.resolve(new Response(JSON.stringify(body), { status }));
  const fetchToken = async (send: typeof fetch, lifetime?: number) => {
    const { clock, registry, emit, events } = rig();
    await watchTokens(send, { clock, registry, emit, lifetime })('https://auth.example/token').catch(() => undefined);
    return events;
  };

  it('should be told by fingerprint', async () => {
    const events = await fetchToken(answer({ access_token: SECRET, expires_in: 8 }));
    expect(events).toMatchObject([
      { type: 'refresh', reason: 'initial', attempt: 1 },
      { type: 'token', token: 0, id: fingerprint(SECRET), expiresAt: 1_008_000 },
    ]);
    expect(JSON.stringify(events)).not.toContain(SECRET);
  });

  it.each([
    ['nothing says it', { access_token: 'opaque' }, undefined, null],
    ['the command line says it', { access_token: 'opaque', expires_in: 60 }, 3, 1_003_000],
    ['the JWT says it', { access_token: `e30.${btoa('{"iat":10,"exp":14}')}.x` }, undefined, 1_004_000],
  ])('should live as long as is known when %s', async (_, body, lifetime, expiresAt) => {
    expect((await fetchToken(answer(body), lifetime)).at(-1)).toMatchObject({ type: 'token', expiresAt });
  });

  it('should tell of a token that did not come', async () => {
    expect((await fetchToken(answer({}, 503))).at(-1)).toMatchObject({
      type: 'failure',
      message: 'the token endpoint answered 503',
    });
    expect((await fetchToken(() => Promise.reject(new Error('fetch failed')))).at(-1)).toMatchObject({
      type: 'failure',
      message: 'fetch failed',
    });
  });
});

describe('the events of the library', () => {
  it('should be told without the secret', () => {
    const registry = tokenRegistry();
    const told: LiveEvent[] = [];
    const token$ = createTokenStream(() => of({ access_token: SECRET, expires_in: 8 }), {
      now: () => 5_000,
      jitter: 0,
    });
    token$.events.subscribe((event: TokenEvent) =>
      told.push(...[ourEvent(event, registry, 0)].filter((one) => one !== undefined)),
    );
    const subscription = token$.subscribe();
    const { id } = token$.current!;
    token$.reject(token$.current!);
    subscription.unsubscribe();
    token$.close();
    expect(told.slice(0, 3)).toEqual([
      { type: 'refresh', lane: 'ours', at: 5_000, reason: 'initial', attempt: 1 },
      { type: 'token', lane: 'ours', at: 5_000, token: 0, id, issuedAt: 5_000, expiresAt: 13_000, reason: 'initial' },
      { type: 'rejected', lane: 'ours', at: 5_000, token: 0, outcome: 'refreshing' },
    ]);
    expect(JSON.stringify(told)).not.toContain(SECRET);
  });
});

describe('the history', () => {
  const answered = (at: number): LiveEvent => ({
    type: 'answered',
    lane: 'ours',
    at,
    request: at,
    status: 201,
    waited: 7,
  });
  const token = (number: number): LiveEvent => ({
    type: 'token',
    lane: 'ours',
    at: number,
    token: number,
    id: '',
    issuedAt: 0,
    expiresAt: null,
    reason: 'scheduled',
  });
  const forbid: LiveEvent = { type: 'fault', kind: 'forbid', at: 0, until: null, path: '/' };

  it('should count what it forgets, and keep what still holds', () => {
    const whole = [forbid, token(0), token(1), token(2), answered(5), answered(300_000)].reduce(remember, NO_HISTORY);
    const { events, counters } = forget(whole, 310_000);
    expect(events).toEqual([forbid, token(1), token(2), answered(300_000)]);
    expect(counters).toEqual({ ours: { accepted: 1, refused: 0, failed: 0, tokens: 1, longestWait: 7, missed: 0 } });
  });

  it.each([
    ['is open', ['ended', 'opened', 'message'], ['ended', 'opened']],
    ['has ended', ['opened', 'message', 'ended'], ['opened', 'ended']],
  ] as const)('should show a page that is opened later that the WebSocket %s', (_how, whats, kept) => {
    const happened = whats.map((what, at): LiveEvent => ({
      type: 'socket',
      lane: 'ours',
      at,
      what,
      token: 0,
      missed: 0,
    }));
    const { events } = forget(happened.reduce(remember, NO_HISTORY), 310_000);
    expect(events.map((event) => event.type === 'socket' && event.what)).toEqual(kept);
  });

  it('should be bounded, however fast the requests come', () => {
    const many = Array.from({ length: 7_000 }, () => answered(1_000));
    expect(forget({ events: many, counters: {} }, 1_000).events).toHaveLength(6_000);
  });
});

describe('the command line of npm run live', () => {
  const own = [
    '--token-endpoint',
    'https://auth.example/token',
    '--client-id',
    'me',
    '--client-secret-env',
    'NAME',
    '--url',
    'https://api.example/orders',
    '--input',
    'a.ndjson',
  ];
  const parse = (...args: string[]) => parseArguments(args, { NAME: 'secret' }, 'orders.ndjson');

  it('should compare on the servers of the demo, and on other servers only when told to', () => {
    expect(parse()).toEqual({
      port: 4780,
      compare: true,
      delivery: { mode: 'embedded', input: 'orders.ndjson', concurrency: 32, rate: 4 },
    });
    expect(parse(...own, '--port', '0', '--rate', '2', '--resume', '--lifetime', '30')).toMatchObject({
      port: 0,
      compare: false,
      delivery: { mode: 'own', rate: 2, resume: true, lifetime: 30 },
    });
    expect(parse(...own, '--compare').compare).toBe(true);
  });

  it.each(['-1', '65536', 'http', '1.5', ''])('should refuse port "%s"', (port) => {
    const written = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    expect(() => parse('--port', port)).toThrow('It must be a whole number from 0 to 65535');
    written.mockRestore();
  });
});
