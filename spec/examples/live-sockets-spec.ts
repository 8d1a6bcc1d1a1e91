import { BehaviorSubject, filter, firstValueFrom } from 'rxjs';
import { createTokenStream } from '../../src/index.js';
import { fakeTokenSource } from '../../src/testing/index.js';
import { count, NOTHING } from '../../examples/live/counters.js';
import { createFaults } from '../../examples/live/faults.js';
import { openFeed, type Feed } from '../../examples/live/feed.js';
import { liveClock } from '../../examples/live/liveClock.js';
import type { LaneEvent } from '../../examples/live/liveEvent.js';
import { ourSocket, theirSocket } from '../../examples/live/sockets.js';
import { fingerprint, tokenRegistry } from '../../examples/live/tokenRegistry.js';

type SocketEvent = Extract<LaneEvent, { type: 'socket' }>;

let ending: (() => void)[];
beforeEach(() => (ending = []));
afterEach(() => ending.forEach((end) => end()));

/** The server of the page, and what the lanes told. */
async function rig() {
  const clock = liveClock();
  const faults = createFaults(clock);
  const registry = tokenRegistry();
  const feed: Feed = await openFeed((value) => registry.find(value), faults, clock);
  ending.push(() => feed.close());
  const events: SocketEvent[] = [];
  const heard = new BehaviorSubject(0);
  const emit = (event: LaneEvent): void => {
    events.push(event as SocketEvent);
    heard.next(events.length);
  };
  const until = (is: () => boolean) => firstValueFrom(heard.pipe(filter(is)));
  const told = (what: SocketEvent['what']) => events.filter((event) => event.what === what);
  const note = (value: string, life: number) =>
    registry.add(value, { id: fingerprint(value), expiresAt: clock.now() + life, slept: clock.slept });
  const watch = { url: feed.url, clock, registry, emit };
  return { clock, faults, registry, feed, events, until, told, note, watch };
}

it('the connection of the library should live through a renewal: the server is told the new token', async () => {
  const { watch, note, until, told } = await rig();
  const source = fakeTokenSource({ lifetime: 1500, names: 'numbers' });
  const token$ = createTokenStream(source, { jitter: 0, refreshBefore: 700 });
  ending.push(() => token$.close());
  token$.subscribe(({ value, expiresAt }) => note(value, expiresAt - Date.now()));
  const running = ourSocket(token$, { ...watch, lane: 'ours' });
  ending.push(() => running.unsubscribe());
  await until(() => told('renewed').length === 3);
  expect(told('opened').map(({ token }) => token)).toEqual([0]);
  expect(told('renewed').map(({ token }) => token)).toEqual([1, 2, 3]);
  expect([told('ended'), told('message').every(({ missed }) => missed === 0)]).toEqual([[], true]);
});

it('the other should be closed when its token ends, come again with the next one, and count what it missed', async () => {
  const { watch, note, until, told, events } = await rig();
  let current = 'first';
  note('first', 700);
  const running = theirSocket(() => Promise.resolve(current), { ...watch, lane: 'theirs' });
  ending.push(() => running.unsubscribe());
  await until(() => told('ended').length === 1);
  // The token is over, and the client has no other yet: the server lets it in again with the next one only.
  current = 'second';
  note('second', 60_000);
  await until(() => told('opened').length === 2);
  await until(() => events.at(-1)?.what === 'message');
  expect(told('opened').map(({ token }) => token)).toEqual([0, 1]);
  expect(events.reduce(count, NOTHING).missed).toBeGreaterThan(0);
});

it('"cut" should end both, and the library should be back within two seconds', async () => {
  const { watch, note, until, told, feed } = await rig();
  const token$ = createTokenStream(fakeTokenSource({ lifetime: 60_000, names: 'numbers' }));
  ending.push(() => token$.close());
  token$.subscribe(({ value }) => note(value, 60_000));
  const running = ourSocket(token$, { ...watch, lane: 'ours' });
  ending.push(() => running.unsubscribe());
  await until(() => told('message').length === 1);
  feed.cut();
  await until(() => told('opened').length === 2);
  expect(told('ended')).toHaveLength(1);
});
