import { fork } from 'node:child_process';
import { once } from 'node:events';
import { startAuthority } from '../oauth/authority.js';
import { freshKey } from '../redis/clients.js';
import { bundle } from '../setup/bundle.js';
import type { SessionConfig, SessionReport } from './sessions.js';

const { file, remove } = bundle(`${__dirname}/sessions.main.ts`);
afterAll(remove);

/** Processes that begin when all are there: one that starts late would find the first token over. */
async function run(config: SessionConfig, count: number): Promise<SessionReport[]> {
  const env = { ...process.env, NODE_OPTIONS: '', SESSION: JSON.stringify(config) };
  const children = Array.from({ length: count }, () => fork(file, { execArgv: [], env }));
  await Promise.all(children.map((child) => once(child, 'message')));
  const reports = children.map(async (child) => {
    child.send('go');
    return ((await once(child, 'message')) as [SessionReport])[0];
  });
  return Promise.all(reports);
}

it('should exchange once for 4 processes with 50 requests of one session each at the moment of expiry, and sign nobody out', async () => {
  const authority = await startAuthority({ ttl: 300, delay: 20 });
  const config: SessionConfig = {
    issuer: authority.issuer,
    url: process.env.REDIS_URL!,
    session: freshKey(),
    seed: await authority.seed(),
    requests: 50,
    lives: 2000,
  };
  const reports = await run(config, 4);
  expect(new Set(reports.map(({ first }) => first)).size).toBe(1);
  for (const { before, outcomes, signedOut } of reports) {
    expect(before).toBe(200);
    expect(outcomes).toEqual(Array<number>(50).fill(200));
    expect(signedOut).toEqual([]);
  }
  // One exchange for the first token, one for all 200 requests.
  expect(await authority.stats()).toMatchObject({ tokens: 2, refused: [], revokedGrants: 0 });
});
