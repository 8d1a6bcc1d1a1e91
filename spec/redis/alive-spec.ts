import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { startRedis } from '../setup/redis/server.cjs';
import { KINDS } from './clients.js';

const ROOT = resolve(__dirname, '../..');

it.each(KINDS)(
  'should not keep a process alive when its client, of %s, is closed',
  async (kind) => {
    const server = await startRedis();
    try {
      const { stdout, stderr } = await promisify(execFile)(
        process.execPath,
        ['--import', 'tsx', join(__dirname, 'alive.main.ts'), kind, server.url],
        {
          cwd: ROOT,
          timeout: 25_000,
          env: { ...process.env, NODE_OPTIONS: '', TSX_TSCONFIG_PATH: join(ROOT, 'tsconfig.json') },
        },
      );
      expect(stderr).toBe('');
      expect(stdout).toBe('T1 ended');
    } finally {
      await server.stop();
    }
  },
  30_000,
);
