import { afterEnd, type Decision, type EndState } from '../../src/connect/afterEnd.js';
import { settingsOf, type ConnectOptions } from '../../src/connect/options.js';
import { answered, close } from './support.js';

const FRESH: EndState = { attempts: 0, rejections: 0 };
const again = (type: 'rejected' | 'reconnect', pause: number, attempts: number, rejections: number): Decision => ({
  type,
  pause,
  state: { attempts, rejections },
});
const final = (isRejected = false): Decision => ({ type: 'final', isRejected });

it.each<[string, unknown, EndState, ConnectOptions['reconnect'], Decision]>([
  ['a lost connection', close(1006), FRESH, {}, again('reconnect', 125, 1, 0)],
  ['one more', close(1006), { attempts: 3, rejections: 0 }, {}, again('reconnect', 1000, 4, 0)],
  ['many', close(1006), { attempts: 3000, rejections: 0 }, {}, again('reconnect', 5000, 3001, 0)],
  ['the last attempt', close(1006), { attempts: 2, rejections: 0 }, { count: 2 }, final()],
  ['no attempts', close(1006), FRESH, { count: 0 }, final()],
  ['Retry-After', answered(429, { 'retry-after': '3' }), FRESH, {}, again('reconnect', 3000, 1, 0)],
  ['a rejection', close(4401), FRESH, {}, again('rejected', 0, 0, 1)],
  ['a rejection without attempts', close(4401), FRESH, { count: 0 }, again('rejected', 0, 0, 1)],
  ['a second rejection', close(4401), { attempts: 0, rejections: 1 }, {}, again('rejected', 125, 1, 2)],
  ['a third rejection', close(4401), { attempts: 1, rejections: 2 }, {}, final(true)],
  [
    'a lost connection between rejections',
    close(1006),
    { attempts: 0, rejections: 2 },
    {},
    again('reconnect', 125, 1, 2),
  ],
  ['a rejection, no reconnects', close(4401), FRESH, false, final(true)],
  ['a lost connection, no reconnects', close(1006), FRESH, false, final()],
  ['a completion', null, FRESH, {}, final()],
  ['a normal close', close(1000), FRESH, {}, final()],
  ['going away', close(1001), FRESH, {}, again('reconnect', 125, 1, 0)],
])('should decide after %s', (_name, end, state, reconnect, decision) => {
  const settings = settingsOf({ reconnect: reconnect && { random: () => 0.5, ...reconnect } });
  expect(afterEnd(end, state, settings)).toEqual(decision);
});

it('should ask isFinal first: it may end the stream where the token was rejected', () => {
  expect(afterEnd(close(4403), FRESH, settingsOf({ isFinal: () => true }))).toEqual(final());
});
