import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { bundle } from '../setup/bundle.js';

const { file, remove } = bundle(`${__dirname}/memory.main.ts`);
afterAll(remove);

describe('an idle key of a pool', () => {
  let bytes: Record<string, number>;
  beforeAll(async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', file]);
    bytes = JSON.parse(stdout) as Record<string, number>;
  }, 60_000);

  it('should be gone when the pool has dropped it, and its chain too', () => {
    expect(bytes.dropped).toBeLessThan(1500);
  });

  it.each([
    ['function', 1700],
    ['clientCredentials', 3100],
    ['clientCredentialsPerCall', 2800],
    ['clientCredentialsPerCallThatRevokes', 2800],
    ['refreshToken', 8200],
  ])('should take little memory, its source included: %s, at most %d bytes', (name, most) => {
    expect(bytes[name]).toBeLessThan(most);
  });
});
