import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cell, folder, orders, runDemo, startDemo, stopAll } from './demoSupport.js';

// Every test starts processes, and other specs keep the machine busy.
jest.setTimeout(60_000);

const place = folder();
afterAll(() => {
  stopAll();
  place.remove();
});

describe('npm start, on servers of its own', () => {
  // Side by side, because each takes its time.
  const input = place.file(orders(360));
  const whole = runDemo(['--input', input, '--rate', '60']);
  const stopped = startDemo(['--rate', '50']);
  const frozen = startDemo(['--input', place.file(orders(200)), '--rate', '100']);
  // The first line of progress.
  stopped.child.stdout.on('data', (text: string) => text.includes(' records') && stopped.child.kill('SIGINT'));
  let isFrozen = false;
  frozen.child.stdout.on('data', (text: string) => {
    if (isFrozen || !text.includes(' records')) return;
    isFrozen = true;
    frozen.child.kill('SIGSTOP');
    // Longer than a token lives.
    setTimeout(() => frozen.child.kill('SIGCONT'), 6_000);
  });

  it('delivers every order once while tokens expire, sends no expired token, and shows the status quo doing worse', async () => {
    const { status, stdout, stderr } = await whole;
    const ours = (row: string): string | undefined => cell(stdout, row, 0);
    const theirs = (row: string): string | undefined => cell(stdout, row, 1);

    // Those that were on their way while a busy machine let the process wait. The run says how many.
    const expiredInTransit = Number(/(\d+) expired tokens? w/.exec(stdout)?.[1] ?? 0);

    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(
      stdout
        .replaceAll(input, 'orders.ndjson')
        .split('\n')
        // An error that a busy machine causes may be longer.
        .filter((line) => line.length > 80 && !line.includes(' failed: ')),
    ).toEqual([]);
    expect([
      ours('records delivered'),
      ours('duplicates'),
      ours('403s on the wire'),
      ours('errors the caller saw'),
    ]).toEqual([
      '360 of 360',
      '0',
      expiredInTransit === 0 ? '0' : `${expiredInTransit} (${expiredInTransit} expired)`,
      '0',
    ]);
    expect(ours('requests on the wire')).toBe(String(360 + expiredInTransit));
    // At least 6 s of tokens that live 5 s: one is renewed, and each change has its line.
    expect(Number(ours('tokens fetched'))).toBeGreaterThanOrEqual(2);
    expect(stdout.match(/rx-fresh-token {2}token \w+ (fetched|renewed in the background) in \d+ ms/g)).toHaveLength(
      Number(ours('tokens fetched')),
    );

    expect([theirs('records delivered'), theirs('duplicates')]).toEqual(['360 of 360', '0']);
    expect(theirs('403s on the wire')).toMatch(/^[1-9]\d* \([1-9]\d* expired\)$/);
    expect(Number(theirs('requests that waited over 50 ms'))).toBeGreaterThan(0);
    expect(stdout).toContain('in any language:');
    expect(stdout).toContain('✔ Every record arrived exactly once, and no expired token was sent.');
    // Only a terminal gets colours and bars.
    expect(stdout).not.toContain('\u001b');
  });

  it('brings 2,000 orders that its generator writes again, byte by byte', () => {
    const written = execFileSync(process.execPath, ['--import', 'tsx', 'examples/demo/generateOrders.ts'], {
      encoding: 'utf8',
    });
    expect(written).toBe(readFileSync('examples/demo/orders.ndjson', 'utf8'));
    const ids = new Set(
      written
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { id: string }).id),
    );
    expect(ids.size).toBe(2_000);
  });

  it('finishes what is in flight at Ctrl-C, prints the table and exits with 130', async () => {
    const { status, stdout } = await stopped.ended;
    const [delivered, of] = (cell(stdout, 'records delivered') ?? '').split(' of ');
    expect(status).toBe(130);
    expect(Number(delivered)).toBeGreaterThan(10);
    expect(delivered).toBe(of);
    expect(stdout).toContain('Stopped: every record that was taken arrived.');
  });

  it('names the seconds for which the machine stopped it, and holds them not against the client', async () => {
    const { status, stdout, stderr } = await frozen.ended;
    expect(stdout).toMatch(/ {2}This process did not run for [67]\.\d s: it was stopped, or the machine was busy/);
    expect(stdout).toContain('✔ Every record arrived exactly once, and no expired token was sent.');
    expect([status, stderr, cell(stdout, 'records delivered')]).toEqual([0, '', '200 of 200']);
  });
});
