import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

it('26: a closed stream should hold no token, whatever has happened to it', () => {
  const printed = execFileSync(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', join(__dirname, 'unreachable.main.ts')],
    { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
  );
  expect(JSON.parse(printed)).toEqual({
    held: {
      'in peace': false,
      'the rejected token came again': false,
      'a renewal failed': false,
      'a renewal failed permanently': false,
      'a renewal hangs': false,
    },
    streams: 5,
  });
}, 60_000);
