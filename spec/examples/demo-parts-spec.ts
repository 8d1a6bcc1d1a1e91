import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { asapScheduler, map, NEVER, of, ReplaySubject, scheduled, timer } from 'rxjs';
import { DoneLines } from '../../examples/demo/doneLines.js';
import { journalPath, openJournal } from '../../examples/demo/journal.js';
import { splitLines } from '../../examples/demo/lines.js';
import { paced } from '../../examples/demo/pace.js';
import { watchEventLoop } from '../../examples/demo/eventLoop.js';
import { idempotencyKey, parseLine } from '../../examples/demo/records.js';
import { RejectedFile } from '../../examples/demo/rejected.js';
import { pauseBefore, RefusedError, REPEATS, retryAfter } from '../../examples/demo/retryPolicy.js';
import { workers } from '../../examples/demo/workers.js';
import { TokenUnavailableError } from '../../src/index.js';
import { folder } from './demoSupport.js';

const place = folder();
afterAll(() => place.remove());

async function* inPieces(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += size) yield await Promise.resolve(bytes.subarray(from, from + size));
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('splitLines', () => {
  const text = '{"a":"é😀"}\r\n\n{"b":1}\nlast';
  it.each([1, 2, 3, 5, 100])('gives the same lines whatever the chunks: %d bytes', async (size) => {
    const lines = await collect(splitLines(inPieces(text, size), 100));
    expect(lines.map(({ number, data }) => [number, data.toString()])).toEqual([
      [1, '{"a":"é😀"}\r'],
      [2, ''],
      [3, '{"b":1}'],
      [4, 'last'],
    ]);
    expect(lines.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(Buffer.byteLength(text));
  });

  it('keeps no more of a line than the bound, but counts all of it', async () => {
    const lines = await collect(splitLines(inPieces(`12345678\n1234\n`, 3), 4));
    expect(lines.map(({ data, cut, bytes }) => [data.toString(), cut, bytes])).toEqual([
      ['1234', true, 9],
      ['1234', false, 5],
    ]);
  });

  it('reads on only when it is asked', async () => {
    let read = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        read += 1;
        yield await Promise.resolve(Buffer.from('a\nb\n'));
      }
    }
    const lines = splitLines(endless(), 10);
    for (let taken = 0; taken < 3; taken += 1) await lines.next();
    expect(read).toBe(2);
  });
});

describe('a record', () => {
  const line = (text: string): Parameters<typeof parseLine>[0] => ({
    number: 1,
    bytes: text.length,
    data: Buffer.from(text),
    cut: false,
  });
  it.each([
    ['{"a":1}', { text: '{"a":1}' }],
    ['\ufeff{"a":1}\r', { text: '{"a":1}' }],
    ['  ', { blank: true }],
    ['null', { reason: 'not a JSON object' }],
    ['[{}]', { reason: 'not a JSON object' }],
    ['7', { reason: 'not a JSON object' }],
    ['{"a":1}{', { reason: 'not JSON' }],
  ])('%j', (text, parsed) => expect(parseLine(line(text))).toEqual(parsed));

  it('has a key that tells apart equal lines and equal places, and nothing else', () => {
    const keys = [
      idempotencyKey('file', 1, '{}'),
      idempotencyKey('file', 2, '{}'),
      idempotencyKey('other', 1, '{}'),
      idempotencyKey('file', 1, '{ }'),
    ];
    expect(new Set(keys).size).toBe(4);
    expect(idempotencyKey('file', 1, '{}')).toBe(keys[0]);
  });
});

describe('the file of rejected lines', () => {
  it.each([true, false])('is never written through a symbolic link, afresh: %p', (afresh) => {
    const [input, precious] = [place.file(''), place.file('precious')];
    const path = `${input}.rejected`;
    symlinkSync(precious, path);
    expect(() => new RejectedFile(path, afresh)).toThrow(`${path} is a symbolic link, and this run would write there`);
    expect(readFileSync(precious, 'utf8')).toBe('precious');
  });

  it('is not written through a link that comes later', () => {
    const [input, precious] = [place.file(''), place.file('precious')];
    const file = new RejectedFile(`${input}.rejected`, true);
    symlinkSync(precious, file.path);
    expect(() => file.add(1, 'not JSON', { text: 'x' })).toThrow('is a symbolic link');
    expect(readFileSync(precious, 'utf8')).toBe('precious');
  });

  it('is refused where a folder lies', () => {
    const path = `${place.file('')}.rejected`;
    mkdirSync(path);
    expect(() => new RejectedFile(path, true)).toThrow(`${path} is not a file`);
  });
});

describe('the journal', () => {
  it('knows after a crash what was finished, and takes a torn last line for nothing', async () => {
    const input = place.file('{}\n'.repeat(200));
    const journal = await openJournal(input, false);
    for (const line of [1, 2, 3, 7, 123]) journal.add(line);
    writeFileSync(journalPath(input), readFileSync(journalPath(input), 'utf8').replace(/123\n$/, '12'));
    const resumed = await openJournal(input, true);
    expect([1, 2, 3, 4, 7, 12, 123].filter((line) => resumed.has(line))).toEqual([1, 2, 3, 7]);
    expect(resumed.salt).toBe(journal.salt);
    expect((await openJournal(input, false)).has(1)).toBe(false);
  });

  it('stays small however many lines are finished', async () => {
    const input = place.file('{}\n');
    const journal = await openJournal(input, false);
    for (let line = 1; line <= 250_000; line += 1) journal.add(line);
    expect(readFileSync(journalPath(input)).length).toBeLessThan(500_000);
    const resumed = await openJournal(input, true);
    expect([resumed.has(250_000), resumed.has(250_001)]).toEqual([true, false]);
  });

  it.each(['.progress', '.progress.new'])('refuses to write through a symbolic link at %s', async (ending) => {
    const [input, precious] = [place.file('{}\n'), place.file('precious')];
    symlinkSync(precious, `${input}${ending}`);
    for (const resume of [false, true])
      await expect(openJournal(input, resume)).rejects.toThrow(`${input}${ending} is a symbolic link`);
    expect(readFileSync(precious, 'utf8')).toBe('precious');
  });

  it('refuses to go on in an input that is another one now', async () => {
    const input = place.file('{"a":1}\n');
    (await openJournal(input, false)).close();
    writeFileSync(input, '{"b":1}\n');
    await expect(openJournal(input, true)).rejects.toThrow('has changed');
    writeFileSync(journalPath(input), 'something else\n');
    await expect(openJournal(input, true)).rejects.toThrow('is not a progress journal');
  });

  it('holds lines that finished out of order in little memory', () => {
    const done = new DoneLines();
    for (const line of [2, 3, 5, 1]) done.add(line);
    expect([done.upTo, [...done.above]]).toEqual([3, [5]]);
    done.addUpTo(4);
    expect([done.upTo, [...done.above]]).toEqual([5, []]);
  });
});

describe('the retry policy', () => {
  const half = (): number => 0.5;
  const refused = (status: number, after?: number): RefusedError => new RefusedError(status, after);
  it.each<[string, number, unknown, number | null]>([
    ['a network fault', 1, new TypeError('fetch failed'), 187.5],
    ['the third network fault', 3, new TypeError('fetch failed'), 750],
    ['the last one', REPEATS + 1, new TypeError('fetch failed'), null],
    ['503', 1, refused(503), 187.5],
    ['503 that asks for 3 s', 1, refused(503, 3_000), 3_000],
    ['429 that asks for an hour', 1, refused(429, 3_600_000), null],
    ['422', 1, refused(422), null],
    ['403', 1, refused(403), null],
    ['401', 1, refused(401), null],
    ['no token to be had', 1, new TokenUnavailableError('no token'), null],
  ])('%s', (_, repeat, error, pause) => expect(pauseBefore(repeat, error, half)).toBe(pause));

  it.each([
    ['3', 3_000],
    ['Thu, 01 Jan 1970 00:00:05 GMT', 4_000],
    ['soon', undefined],
    [null, undefined],
  ])('reads Retry-After: %s', (header, ms) => expect(retryAfter(header, 1_000)).toBe(ms));
});

describe('workers', () => {
  const numbers = async function* (): AsyncGenerator<number> {
    for (let number = 1; ; number += 1) yield await Promise.resolve(number);
  };

  it('take no more than they work on, and nothing after the stop', async () => {
    const stop$ = new ReplaySubject<void>(1);
    let taken = 0;
    let stopped = false;
    let late = 0;
    const done: number[] = [];
    const source = numbers();
    const next = (): Promise<IteratorResult<number, unknown>> => {
      if (stopped) late += 1;
      return source.next();
    };
    await workers({ next }, 3, stop$, (item) => {
      taken = Math.max(taken, item);
      expect(taken - done.length).toBeLessThanOrEqual(3);
      stopped = item >= 10;
      if (stopped) stop$.next();
      return timer(item % 3).pipe(map(() => item));
    }).forEach((item) => void done.push(item));
    expect(done.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...done.slice(10)]);
    expect(late).toBe(0);
    expect(taken).toBeLessThanOrEqual(12);
    expect(done).toHaveLength(taken);
  });

  it('keep nothing of what is finished', async () => {
    async function* large(): AsyncGenerator<number[]> {
      for (let item = 0; item < 2_000; item += 1) yield await Promise.resolve(new Array<number>(12_500).fill(item));
    }
    const before = process.memoryUsage().heapUsed;
    await workers(large(), 8, NEVER, (item) => scheduled(of(item.length), asapScheduler)).forEach(() => undefined);
    // Kept, the items would take 200 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100_000_000);
  });
});

it('paced holds the rate, and stops waiting when it is told to', async () => {
  const items = async function* (): AsyncGenerator<number> {
    for (let item = 1; item <= 21; item += 1) yield await Promise.resolve(item);
  };
  const started = performance.now();
  expect(await collect(paced(items(), 100, new AbortController().signal))).toHaveLength(21);
  expect(performance.now() - started).toBeGreaterThan(195);

  const stop = new AbortController();
  const slow = paced(items(), 0.01, stop.signal);
  await slow.next();
  const second = slow.next();
  stop.abort();
  await expect(second).rejects.toThrow();
});

describe('the event loop', () => {
  /** A clock that the spec moves. */
  const setUp = () => {
    const clock = { now: 0 };
    const loop = watchEventLoop(() => clock.now);
    return { clock, loop };
  };

  it('did not run if the time between two checks is long', () => {
    const { clock, loop } = setUp();
    clock.now = 200;
    expect(loop.stalled()).toBe(0);
    clock.now = 6_200;
    expect([loop.stalledBetween(100, 199), loop.stalledBetween(100, 6_201), loop.stalledBetween(6_201, 6_300)]).toEqual(
      [false, true, false],
    );
    expect(loop.stalled()).toBe(6_000);
    loop.close();
  });
});
