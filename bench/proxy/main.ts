import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { load, type Load, type Method } from './wire.js';

/**
 * What the proxy costs beside one of npm that does nothing else. They take turns, each in a process of its own, so that
 * a machine that is busy with other things slows all of them. Printed are medians over the rounds.
 */

const rounds = Number(process.argv[2] ?? 5);
const NAMES = ['fast-proxy', 'rx-fresh-token'] as const;
const ROUND = 2_000;

const ask = <T>(child: ChildProcess): Promise<T> =>
  new Promise((done) => child.once('message', (message) => done(message as T)));

async function start(...args: string[]): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(fileURLToPath(new URL('child.ts', import.meta.url)), args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return { child, port: (await ask<{ port: number }>(child)).port };
}

const cpuOf = async (child: ChildProcess): Promise<number> => {
  const told = ask<{ cpu: number }>(child);
  child.send('cpu');
  return (await told).cpu;
};

const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[numbers.length >> 1] ?? NaN;

interface Row {
  readonly rates: number[];
  /** Microseconds of the proxy's CPU for one request. */
  readonly cpu: number[];
  readonly medians: number[];
}

async function measure(method: Method): Promise<void> {
  const upstream = await start('upstream', method);
  const proxies = await Promise.all(
    NAMES.map(async (name) => ({ name, ...(await start(name, method, String(upstream.port))) })),
  );
  const all = [{ name: 'direct', ...upstream }, ...proxies];
  const rows = new Map<string, Row>(all.map(({ name }) => [name, { rates: [], cpu: [], medians: [] }]));
  for (const { port } of all) await load(port, method, 32, ROUND / 2);
  for (let round = 0; round < rounds; round++) {
    for (const { name, child, port } of all) {
      const before = await cpuOf(child);
      const many: Load = await load(port, method, 32, ROUND);
      const cpu = ((await cpuOf(child)) - before) / ((many.rate * ROUND) / 1000);
      const one = await load(port, method, 1, ROUND / 4);
      const row = rows.get(name);
      row?.rates.push(many.rate);
      row?.cpu.push(cpu * 1000);
      row?.medians.push(one.median);
    }
  }
  for (const { child } of all) child.disconnect();
  console.log(`\n${method}, ${rounds} rounds`);
  for (const [name, { rates, cpu, medians }] of rows)
    console.log(
      [
        name.padEnd(16),
        `${Math.round(median(rates)).toLocaleString('en').padStart(8)} requests/s`,
        `${median(cpu).toFixed(0).padStart(5)} µs CPU`,
        `${median(medians).toFixed(3).padStart(8)} ms at the median, one at a time`,
      ].join('  '),
    );
}

for (const method of ['GET', 'POST'] as const) await measure(method);
