import { afterEnd, type AfterEnd, type EndState } from '../../src/connect/afterEnd.js';
import type { ConnectionEnd } from '../../src/connect/ends.js';
import { settingsOf, type ConnectOptions } from '../../src/connect/options.js';
import { accessToken } from '../../src/token/decisions/accessToken.js';
import { answered, close } from './support.js';

const FRESH: EndState = { attempts: 0, rejections: 0 };
const token = accessToken({ access_token: 'a' }, 0, 30_000);
const ended = (reason: unknown, course: Partial<ConnectionEnd> = {}): ConnectionEnd => ({
  reason,
  token,
  isTokenOver: false,
  hasMessage: false,
  openFor: -Infinity,
  ...course,
});
const again = (type: 'rejected' | 'lost', pause: number, attempts: number, rejections: number): AfterEnd => ({
  isRejected: type === 'rejected',
  pause,
  state: { attempts, rejections },
});
const over = (type: 'rejected' | 'lost'): Partial<AfterEnd> => ({ isRejected: type === 'rejected', pause: null });
const settingsWith = (reconnect: ConnectOptions['reconnect']) =>
  settingsOf({ reconnect: reconnect && { random: () => 0.5, ...reconnect } });

it.each<[string, unknown, EndState, ConnectOptions['reconnect'], Partial<AfterEnd>]>([
  ['a lost connection', close(1006), FRESH, {}, again('lost', 125, 1, 0)],
  ['one more', close(1006), { attempts: 3, rejections: 0 }, {}, again('lost', 1000, 4, 0)],
  ['many', close(1006), { attempts: 3000, rejections: 0 }, {}, again('lost', 5000, 3001, 0)],
  ['the last attempt', close(1006), { attempts: 2, rejections: 0 }, { count: 2 }, over('lost')],
  ['no attempts', close(1006), FRESH, { count: 0 }, over('lost')],
  ['the end of a limit', answered(429, { 'ratelimit-reset': '3' }), FRESH, {}, again('lost', 3000, 1, 0)],
  ['Retry-After', answered(429, { 'retry-after': '3' }), FRESH, {}, again('lost', 3000, 1, 0)],
  [
    'a time that is over, without a Date',
    answered(429, { 'retry-after': '1500000000' }),
    FRESH,
    {},
    again('lost', 125, 1, 0),
  ],
  ['a rejection', close(4401), FRESH, {}, again('rejected', 0, 0, 1)],
  ['a rejection without attempts', close(4401), FRESH, { count: 0 }, again('rejected', 0, 0, 1)],
  ['a second rejection', close(4401), { attempts: 0, rejections: 1 }, {}, again('rejected', 125, 1, 2)],
  ['a third rejection', close(4401), { attempts: 1, rejections: 2 }, {}, over('rejected')],
  ['a lost connection between rejections', close(1006), { attempts: 0, rejections: 2 }, {}, again('lost', 125, 1, 2)],
  ['a rejection, no reconnects', close(4401), FRESH, false, over('rejected')],
  ['a lost connection, no reconnects', close(1006), FRESH, false, over('lost')],
  ['a final end', null, FRESH, {}, over('lost')],
  ['going away', close(1001), FRESH, {}, again('lost', 125, 1, 0)],
])('should decide after %s', (_name, end, before, reconnect, decision) => {
  expect(afterEnd(ended(end), before, settingsWith(reconnect))).toMatchObject(decision);
});

it.each<[string, unknown, Partial<ConnectionEnd>, EndState, Partial<AfterEnd>]>([
  ['one that has lasted', close(1006), { openFor: 10_000 }, { attempts: 7, rejections: 2 }, again('lost', 125, 1, 0)],
  ['one that has not', close(1006), { openFor: 9999 }, { attempts: 7, rejections: 2 }, again('lost', 5000, 8, 2)],
  ['a rejection, one that has lasted', close(4401), { openFor: 10_000 }, FRESH, again('rejected', 0, 0, 1)],
  [
    'a rejection after a message',
    close(4401),
    { hasMessage: true },
    { attempts: 3, rejections: 2 },
    again('rejected', 1000, 4, 2),
  ],
  [
    'a rejection of a token that is over',
    close(4401),
    { isTokenOver: true },
    { attempts: 3, rejections: 2 },
    again('rejected', 0, 3, 1),
  ],
])('should count by how the connection was: %s', (_name, end, course, before, decision) => {
  expect(afterEnd(ended(end, course), before, settingsWith({}))).toEqual(decision);
});

it('should take a connection of 1 s for one that has lasted, however short the pauses are', () => {
  const before = { attempts: 2, rejections: 0 };
  const after = (openFor: number) =>
    afterEnd(ended(close(1006), { openFor }), before, settingsWith({ max: 0, count: 2 }));
  expect([after(999), after(1000)]).toMatchObject([over('lost'), again('lost', 0, 1, 0)]);
});

it('should wait until the time that a server names, by our clock where no Date can be read', () => {
  jest.useFakeTimers({ now: 1_900_000_000_000 });
  const end = answered(429, { 'x-ratelimit-reset': '1900000020' });
  expect(settingsWith({}).leastPause(end)).toBe(20_000);
  jest.useRealTimers();
});
