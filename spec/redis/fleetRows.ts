import { join } from 'node:path';
import { bundle } from '../setup/bundle.js';
import { freshKey, type Kind } from './clients.js';
import {
  pause,
  percentile,
  startFleet,
  sum,
  until,
  type Fleet,
  type Report,
  type WorkerConfig,
} from './fleet/fleet.js';
import { startIssuer, type Issuer } from './fleet/issuer.js';
import { lateness } from './lateness.js';

/**
 * With `npm run soak` the rows are as long and as large as the table says, which takes a machine that does nothing
 * else. Without, they are shorter and smaller, and tokens that are revoked live longer, since a busy machine makes
 * pushes slow. The numbers are the table's, in both; times may grow by what the machine was late in the same run.
 */
const SOAK = Boolean(process.env.SOAK);
const SECONDS = SOAK ? 20 : 3;
const SIZE = SOAK ? 8 : 4;
const REVOKED = SOAK ? { lifetime: 1, callers: 200, seconds: SECONDS } : { lifetime: 6, callers: 100, seconds: 6 };
/** Between two calls of one caller, on average. Milliseconds. */
const REVOKED_EVERY = 2000;
const LEAD = 200;

/** The rows of the fault table that need a fleet of processes. */
export function itHoldsForAFleet(kind: Kind): void {
  jest.setTimeout(90_000);
  const { file, remove } = bundle(join(__dirname, 'fleet/worker.main.ts'));
  let issuer: Issuer;
  let fleet: Fleet | undefined;
  afterEach(async () => {
    fleet?.workers.forEach(({ kill }) => {
      kill('SIGCONT');
      kill('SIGKILL');
    });
    fleet = undefined;
    await issuer.stop();
  });
  afterAll(remove);

  async function launch(
    size: number,
    options: Partial<WorkerConfig> & { issuer?: Parameters<typeof startIssuer>[0] } = {},
  ): Promise<Fleet> {
    issuer = await startIssuer(options.issuer);
    const config: WorkerConfig = {
      kind,
      url: process.env.REDIS_URL!,
      key: freshKey(),
      tokenUrl: issuer.tokenUrl,
      apiUrl: issuer.apiUrl,
      callers: 200,
      every: 1000,
      stream: { refreshBefore: LEAD, jitter: 0 },
      ...options,
    };
    return (fleet = await startFleet(file, size, config));
  }

  function expectNoHarm(reports: readonly Report[]): void {
    expect(reports.flatMap(({ unhandled }) => unhandled)).toEqual([]);
    expect([...new Set(reports.flatMap(({ failures }) => failures))]).toEqual([]);
    expect(sum(reports, ({ expired }) => expired)).toBe(0);
    // Every observer sees generations only grow.
    for (const { seen } of reports) expect(seen).toEqual([...seen].sort((a, b) => a - b));
  }

  /** A busy machine may let a process wait for its turn, however soon the token was pushed. */
  async function untilAllHave(last: number): Promise<void> {
    await until(async () => (await fleet!.reports()).every(({ seen }) => seen.at(-1) === last));
  }

  it.each([false, true])(
    `should fetch no more than 2 tokens above the ideal for processes with 200 callers each, and fail none (all pushes lost: %s)`,
    async (deaf) => {
      const size = deaf ? SIZE : 8;
      const { stop } = await launch(size, { deaf });
      const before = issuer.issued();
      const begun = performance.now();
      await pause(SECONDS * 1000);
      const fetched = issuer.issued() - before;
      const ideal = Math.ceil((performance.now() - begun) / (1000 - LEAD));
      const reports = await stop();
      console.info(`${kind}: ${String(fetched)} fetches, ideal ${String(ideal)}, pushes lost: ${String(deaf)}`);
      expectNoHarm(reports);
      expect(sum(reports, ({ calls }) => calls)).toBeGreaterThan(size * 200 * SECONDS * 0.3);
      expect(fetched).toBeLessThanOrEqual(ideal + 2);
    },
  );

  it('should fail no call when the issuer revokes at once, and have few refused', async () => {
    const { workers, stop } = await launch(SIZE, {
      calls: true,
      callers: REVOKED.callers,
      every: REVOKED_EVERY,
      issuer: { revokes: true, lifetime: REVOKED.lifetime },
      stream: { refreshBefore: LEAD * REVOKED.lifetime, jitter: 0, rejectionBudget: { max: 1000 } },
    });
    // The first calls find cold code.
    await pause(1000);
    workers.forEach(({ reset }) => {
      reset();
    });
    const late = lateness();
    await pause((REVOKED.seconds - 1) * 1000);
    await until(() => issuer.issued() > 1);
    const mine = late.stop();
    const reports = await stop();
    const lags = reports.flatMap((report) => report.lags);
    console.info(
      `${kind}: ${String(issuer.issued())} tokens, ${String(issuer.refused())} of ${String(issuer.calls())} calls refused, ${String(sum(reports, ({ failures }) => failures.length))} failed, push lag p50 ${String(percentile(lags, 0.5))} p99 ${String(percentile(lags, 0.99))} ms`,
    );
    expectNoHarm(reports);
    expect(issuer.calls()).toBeGreaterThan((SIZE * REVOKED.callers * REVOKED.seconds) / 8);
    // A push takes two workers their time: the one that fetched, and the one that hears of it.
    const held = SOAK ? 0 : mine.worst + 2 * Math.max(...reports.map((report) => report.late.worst));
    const perMillisecond = (SIZE * REVOKED.callers) / REVOKED_EVERY;
    expect(issuer.refused()).toBeLessThanOrEqual(0.01 * issuer.calls() + held * perMillisecond);
  });

  it('should have the next token within lease + fetch + 100 ms when the leader is killed, and no caller stall over 50 ms', async () => {
    const lease = 1000;
    const { workers, stop } = await launch(3, {
      callers: 20,
      every: 50,
      issuer: { lifetime: 4 },
      stream: { refreshBefore: 2 * lease + 500, jitter: 0 },
      store: { lease },
    });
    await until(() => issuer.issued() === 1);
    issuer.hold(0);
    await pause(500);
    workers.forEach(({ reset }) => {
      reset();
    });
    await until(() => issuer.asked.length === 2);
    const leader = workers.find(({ pid }) => pid === issuer.asked[1]?.pid)!;
    const late = lateness();
    await pause(100);
    leader.kill('SIGKILL');
    issuer.release();
    // What was held for the dead one counts as issued.
    await until(() => issuer.asked.length === 3);
    await until(() => issuer.issued() === 3);
    const took = Date.now() - issuer.asked[1]!.at;
    await untilAllHave(3);
    const mine = late.stop();
    const reports = await stop();
    const theirs = reports.map((report) => report.late.worst);
    console.info(
      `${kind}: next token ${String(took)} ms after the dead one had asked; late at worst by ${[mine.worst, ...theirs].map((ms) => ms.toFixed(0)).join(', ')} ms; slowest ${reports.map(({ slowest }) => slowest.toFixed(0)).join(', ')} ms`,
    );
    expect(reports).toHaveLength(2);
    expectNoHarm(reports);
    // The lease's timer and Redis' answer there, the request and its answer here and there: each may meet the worst.
    expect(took).toBeLessThanOrEqual(lease + 20 + 100 + 2 * (mine.worst + Math.max(...theirs)));
    for (const {
      seen,
      slowest,
      late: { worst },
    } of reports) {
      expect(seen).toEqual([1, 3]);
      expect(slowest).toBeLessThanOrEqual(50 + worst);
    }
  });

  it('should refuse the token of a leader that was paused past its lease, which adopts that of who led since', async () => {
    const lease = 500;
    const { workers, stop } = await launch(3, {
      callers: 20,
      every: 50,
      issuer: { lifetime: 4 },
      stream: { refreshBefore: 2500, jitter: 0 },
      store: { lease },
    });
    await until(() => issuer.issued() === 1);
    issuer.hold(0);
    await until(() => issuer.asked.length === 2);
    const leader = workers.find(({ pid }) => pid === issuer.asked[1]?.pid)!;
    leader.kill('SIGSTOP');
    issuer.release();
    await until(() => issuer.issued() === 3);
    await pause(300);
    leader.kill('SIGCONT');
    await untilAllHave(3);
    const reports = await stop();
    expectNoHarm(reports);
    expect(issuer.issued()).toBe(3);
    for (const { seen } of reports) expect(seen).toEqual([1, 3]);
  });

  it('should send about 14 requests from the whole fleet to a token endpoint that is down for 2.5 s', async () => {
    const { stop } = await launch(SIZE, { callers: 20, every: 100 });
    await until(() => issuer.issued() >= 2);
    issuer.setDown(true);
    const before = issuer.asked.length;
    await pause(2500);
    const sent = issuer.asked.length - before;
    issuer.setDown(false);
    const back = issuer.issued();
    await until(() => issuer.issued() > back);
    await pause(300);
    const reports = await stop();
    console.info(`${kind}: ${String(sent)} requests in 2.5 s of 503`);
    expectNoHarm(reports);
    expect(sent).toBeGreaterThanOrEqual(5);
    expect(sent).toBeLessThanOrEqual(15);
    // Each process was told what the others had met.
    for (const { failed } of reports) expect(failed).toBeGreaterThan(0);
  });
}
