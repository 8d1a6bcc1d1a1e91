import { Readable } from 'node:stream';
import { of } from 'rxjs';
import { isStream } from '../../src/internal/values/isStream.js';

it.each<[string, unknown, boolean]>([
  ['a ReadableStream', new ReadableStream(), true],
  ['what has nothing but its getReader', { getReader: () => undefined }, true],
  ["Node's stream", Readable.from(['a']), true],
  ['what has nothing but its pipe', { pipe: () => undefined }, true],
  [
    'an async generator',
    (async function* () {
      await Promise.resolve();
      yield 1;
    })(),
    true,
  ],
  ['an Observable, which nobody reads', of(1), false],
  ['a plain object', { pipe: 'line' }, false],
  ['bytes', new Uint8Array(1), false],
  ['a Blob', new Blob(['a']), false],
  ['a form', new FormData(), false],
  ['a string', 'pipe', false],
  ['null', null, false],
  ['undefined', undefined, false],
])('should know whether sending it consumes it: %s', (_what, body, consumed) => {
  expect(isStream(body)).toBe(consumed);
});
