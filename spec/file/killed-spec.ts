import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientOf, startAuthority } from '../oauth/authority.js';
import { pause, percentile, until } from '../redis/fleet/fleet.js';
import { bundle, type Bundle } from '../setup/bundle.js';
import { startWorker, stopWorkers, type FromWorker, type Worker } from './processes.js';

const SOAK = process.env.SOAK === '1';
const PLACES = SOAK ? [tmpdir(), '/dev/shm'] : [tmpdir()];
const SCALE = SOAK ? { processes: 20, seconds: 60, ttl: 5 } : { processes: 6, seconds: 5, ttl: 2 };

/** At first there is no token, and all processes load their code. Milliseconds. */
const START = SCALE.seconds * 250;

jest.setTimeout(SCALE.seconds * 1000 + 60_000);

let program: Bundle;
beforeAll(() => {
  program = bundle(join(__dirname, 'worker.main.ts'));
});
afterAll(() => {
  program.remove();
});

const dispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of dispose.splice(0).reverse()) await one();
});

/** What the file held, looked at all the time. */
function watchFile(path: string) {
  const found = { looks: 0, broken: [] as string[], ids: [] as string[], backwards: 0, mode: '' };
  const timer = setInterval(() => {
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
      found.mode = (statSync(path).mode & 0o777).toString(8);
    } catch {
      return; // nobody has written yet
    }
    found.looks++;
    try {
      const { id, response } = JSON.parse(text) as { id: string; response: { refresh_token: string } };
      if (response.refresh_token.length < 10) throw new Error('no refresh token');
      if (id === found.ids.at(-1)) return;
      if (found.ids.includes(id)) found.backwards++;
      found.ids.push(id);
    } catch (error) {
      found.broken.push(String(error));
    }
  }, 3);
  dispose.push(() => {
    clearInterval(timer);
  });
  return found;
}

async function place(root: string, options: { readonly ttl: number; readonly grace?: number }) {
  const folder = mkdtempSync(join(root, 'file-store-'));
  dispose.push(() => {
    rmSync(folder, { recursive: true });
  });
  const path = join(folder, 'token.json');
  const authority = await startAuthority({ delay: 20, ...options });
  const config = { path, ...clientOf(authority, 'app'), seed: await authority.seed() };
  const workers = new Set<Worker>();
  dispose.push(() => stopWorkers(workers));
  const start = (onMessage: (message: FromWorker, worker: Worker) => void) => {
    workers.add(startWorker(program.file, config, onMessage));
  };
  return { folder, path, authority, start, workers };
}

describe.each(PLACES)('processes that are killed in mid-refresh, one every second, in %s', (root) => {
  it('should exchange a rotating refresh token once per life, and lose none', async () => {
    const { processes, seconds, ttl } = SCALE;
    const { folder, path, authority, start, workers } = await place(root, { ttl });
    const file = watchFile(path);
    const [failures, events]: [string[], string[]] = [[], []];
    const [startWaits, waits]: [number[], number[]] = [[], []];
    let began = performance.now();
    const takeovers: number[] = [];
    let victims = 0;
    let owed = 0;
    let isOver = false;
    let killedAt: number | undefined;
    /** Processes whose request is on its way. */
    const asking = new Set<Worker>();

    const killInMidRefresh = (worker: Worker) => {
      worker.kill();
      workers.delete(worker);
      owed--;
      victims++;
      killedAt = performance.now();
      start(onMessage);
    };
    const onMessage = (message: FromWorker, worker: Worker) => {
      if (message.type === 'failed') events.push(message.message);
      if (message.type === 'callFailed') failures.push(message.message);
      if (message.type === 'call') (performance.now() - began < START ? startWaits : waits).push(message.waited);
      if (message.type !== 'step') return;
      if (message.name === 'before' && killedAt !== undefined) {
        takeovers.push(performance.now() - killedAt);
        killedAt = undefined;
      }
      if (isOver && message.name === 'before') return; // Nobody begins another exchange.
      if (message.name === 'before' && owed > 0) killInMidRefresh(worker);
      else {
        if (message.name === 'before') asking.add(worker);
        else asking.delete(worker);
        worker.goOn();
      }
    };

    for (let i = 0; i < processes; i++) start(onMessage);
    if (!SOAK) await until(() => file.ids.length > 0);
    began = performance.now();
    while (performance.now() - began < seconds * 1000) {
      await pause(1000);
      owed++;
    }
    isOver = true;
    // The server has not counted what is on its way to it.
    const isSettled = async () => asking.size === 0 && file.ids.length === (await authority.stats()).tokens;
    await until(isSettled, 10_000).catch(() => undefined);
    await stopWorkers(workers);
    const { tokens, refused, revokedGrants } = await authority.stats();

    // A life ends when the first process renews the token: with jitter, a stream does that at most so long before its
    // end.
    const lead = Math.min(1.2 * (ttl / 6 + Math.min(1, ttl / 3) - ttl / 30), ttl / 2);
    const report = {
      root,
      exchanges: tokens,
      ...{
        lives: file.ids.length,
        // One before it, and one that is under way when it is over.
        mostLives: Math.ceil(seconds / (ttl - lead)) + 2,
        victims,
        refused,
        revokedGrants,
      },
      ...{ looks: file.looks, broken: file.broken, backwards: file.backwards, mode: file.mode },
      ...{
        calls: startWaits.length + waits.length,
        callP99: Math.round(percentile(waits, 0.99)),
        slowestCall: Math.round(Math.max(...waits)),
        slowestAtStart: Math.round(Math.max(...startWaits)),
        failures,
        events,
      },
      ...{ takeoverP50: Math.round(percentile(takeovers, 0.5)), takeoverMax: Math.round(Math.max(...takeovers)) },
    };
    if (SOAK) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    expect(report).toMatchObject({
      refused: [],
      revokedGrants: 0,
      broken: [],
      backwards: 0,
      failures: [],
      mode: '600',
      // On a machine with too much to do, a token of 2 s may be over when it comes.
      ...(SOAK && { events: [] }),
    });
    expect(tokens).toBe(file.ids.length);
    expect(tokens).toBeLessThanOrEqual(report.mostLives);
    expect(tokens).toBeGreaterThan(1);
    expect(victims).toBeGreaterThanOrEqual(seconds / 2);
    expect(readdirSync(folder).filter((name) => !/^token\.json(\.lock.*)?$/.test(name))).toEqual([]);
  });
});

describe('a process that is killed when the server has rotated the refresh token, before it is written', () => {
  /** What the processes after it are told. */
  async function killAnswered(grace: number) {
    const { authority, start, workers } = await place(tmpdir(), { ttl: 30, grace });
    const told: FromWorker[] = [];
    let killed = false;
    const onMessage = (message: FromWorker, worker: Worker) => {
      told.push(message);
      if (message.type !== 'step') return;
      if (message.name === 'before' || killed) worker.goOn();
      else {
        killed = true;
        worker.kill();
      }
    };
    start(onMessage);
    await until(() => killed);
    start(onMessage);
    await until(() => told.some(({ type }) => type === 'token' || type === 'failed'));
    await stopWorkers(workers);
    return { told, stats: await authority.stats() };
  }

  it('should cost a sign-in, at a server that revokes everything when a used refresh token comes back', async () => {
    const { told, stats } = await killAnswered(0);
    expect(stats).toMatchObject({ tokens: 1, revokedGrants: 1, refused: [expect.stringContaining('invalid_grant')] });
    expect(told.find(({ type }) => type === 'failed')).toMatchObject({
      message: expect.stringContaining('invalid_grant') as string,
    });
  });

  it('should cost nothing at a server that accepts the last refresh token for a while', async () => {
    const { told, stats } = await killAnswered(20_000);
    expect(stats).toMatchObject({ tokens: 2, revokedGrants: 0, refused: [] });
    expect(told.some(({ type }) => type === 'token')).toBe(true);
  });
});
