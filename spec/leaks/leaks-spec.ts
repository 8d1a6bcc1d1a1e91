import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundle } from '../setup/bundle.js';

const MEGABYTE = 2 ** 20;
/** With `npm run soak` a million requests. Per request, both bounds are the same: two bytes. */
const [REQUESTS, ROOM] = process.env.SOAK === '1' ? ['1,000,000', 2 * MEGABYTE] : ['200,000', 0.4 * MEGABYTE];

interface Left {
  readonly left: Readonly<
    Record<string, { readonly bytes: number; readonly timers: number; readonly listeners: number }>
  >;
  readonly timersAfterClose: number;
}

describe('what is left behind', () => {
  // tsx would name each function anew whenever it is made, which takes a third of the time.
  const program = bundle(join(__dirname, 'leaks.main.ts'), 'external');
  afterAll(program.remove);
  let found: Left;
  beforeAll(async () => {
    // The heap would be smaller by what V8 drops of code that has not run for some collections.
    const flags = ['--expose-gc', '--no-flush-bytecode'];
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, program.file], { timeout: 280_000 });
    found = JSON.parse(stdout) as Left;
  }, 300_000);

  it.each([
    ['streams', '10,000 streams that were created, used and closed'],
    ['requests', `${REQUESTS} requests through one stream`],
    ['refusals', '40,000 resources that refused fresh tokens too'],
    ['waiters', '100,000 waiters that left'],
    ['aborts', '100,000 requests that were aborted while they waited'],
  ])('should be neither memory, timers nor listeners: %s (%s)', (name) => {
    const { bytes, timers, listeners } = found.left[name]!;
    expect(bytes).toBeLessThan(name === 'requests' ? ROOM : 2 * MEGABYTE);
    expect({ timers, listeners }).toEqual({ timers: 0, listeners: 0 });
  });

  it('should be no timer once the streams are closed', () => {
    expect(found.timersAfterClose).toBe(0);
  });
});
