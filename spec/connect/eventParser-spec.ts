import { eventParser, type ServerSentEvent } from '../../src/connect/eventParser.js';

/** What comes of a text that comes in these parts. */
function read(...parts: string[]) {
  const state = { lastId: '', retry: 0 };
  const parse = eventParser(state, () => new Error('too long'));
  return { events: parts.flatMap((part): readonly ServerSentEvent[] => parse(part)), state };
}

it.each([
  ['an id without data, for the request that follows', 'id: 1\ndata: a\n\nid: 2\n\n', ['1 message a'], '2'],
  ['an id without data, for the events that follow', 'id: 2\n\ndata: a\n\n', ['2 message a'], '2'],
  ['an id that is empty', 'id: 1\ndata: a\n\nid\ndata: b\n\n', ['1 message a', ' message b'], ''],
  ['no id of an event that was cut off', 'id: 1\ndata: a\n\nid: 2\ndata: b\n', ['1 message a'], '1'],
  ['an id with NUL as none', 'id: 1\nid: 2\0\ndata: a\n\n', ['1 message a'], '1'],
  ['data that is empty', 'data\n\ndata:\n\nevent: e\n\ndata:\ndata\n\n', [' message ', ' message ', ' message \n'], ''],
  ['one space as none of the data', 'data:a\n\ndata:  b: c\n\n', [' message a', ' message  b: c'], ''],
  [
    'a type for one event',
    'event: e\ndata: a\n\ndata: b\n\nevent\ndata: c\n\n',
    [' e a', ' message b', ' message c'],
    '',
  ],
  ['comments and unknown fields as nothing', ': a\n\ndatax: b\n: data: c\ndata: d\n\n', [' message d'], ''],
] as const)('should take %s', (_name, text, events, lastId) => {
  const whole = read(text);
  expect(whole.events.map(({ id, event, data }) => `${id} ${event} ${data}`)).toEqual(events);
  expect(whole.state.lastId).toBe(lastId);
  for (const lineEnd of ['\n', '\r', '\r\n']) {
    const one = text.replaceAll('\n', lineEnd);
    expect(read(...Array.from(one))).toEqual(read(text));
    for (let at = 0; at <= one.length; at++) expect(read(one.slice(0, at), '', one.slice(at))).toEqual(read(text));
  }
});

it.each([
  ['retry: 20\n', 20],
  ['retry: 20\nretry: -1\nretry: 1.5\nretry\nretry: 1e3\n', 20],
  ['retry: 99999999999\n', 300_000],
])('should take the pause of %j', (text, retry) => {
  expect(read(text).state.retry).toBe(retry);
});

it('should count against the limit only what it keeps', () => {
  const line = 'x'.repeat(1024 * 1024);
  const times = (part: string) => Array.from({ length: 20 }, () => part);
  expect(read(...times(`: ${line}\n`)).events).toEqual([]);
  expect(read(...times(`data: ${line}\n\n`)).events).toHaveLength(20);
  expect(() => read(...times(`data: ${line}\n`))).toThrow('too long');
  expect(() => read(...times(line))).toThrow('too long');
});
