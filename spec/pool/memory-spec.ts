import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { bundle } from '../setup/bundle.js';

const { file, remove } = bundle(`${__dirname}/memory.main.ts`);
afterAll(remove);

describe('an idle key of a pool', () => {
  let bytes: Record<string, number>;
  beforeAll(async () => {
    // The code that the optimizing compiler makes is on the heap too, and is made when there is time for it.
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '--no-opt', file]);
    bytes = JSON.parse(stdout) as Record<string, number>;
  }, 60_000);

  it('should be gone when the pool has dropped it, and its chain too', () => {
    expect(bytes.dropped).toBeLessThan(400);
  });

  it.each([
    ['function', 1300],
    ['clientCredentials', 2300],
    ['clientCredentialsPerCall', 2300],
    ['clientCredentialsPerCallThatRevokes', 2300],
    ['refreshToken', 7600],
  ])('should take little memory, its source included: %s, at most %d bytes', (name, most) => {
    expect(bytes[name]).toBeLessThan(most);
  });
});
