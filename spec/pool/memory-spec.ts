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

  it.each([
    ['function', 2000],
    ['clientCredentials', 3200],
    ['clientCredentialsPerCall', 3200],
    ['clientCredentialsPerCallThatRevokes', 3200],
    ['refreshToken', 8500],
  ])('should take little memory, its source included: %s, at most %d bytes', (name, most) => {
    expect(bytes[name]).toBeLessThan(most);
  });
});
