import { setTimeout as pause } from 'node:timers/promises';
import type { Candidate, Client } from './candidate.js';
import type { Scenario } from './scenarios.js';
import { startServer } from './server.js';

/** A request without an answer after so many milliseconds counts as an error. */
const TIMEOUT = 10_000;

export interface Outcome {
  /** 401 and 403 answers on the wire. */
  readonly refused: number;
  /** Requests to `/orders` that did not end with a 200 for their caller. */
  readonly errors: number;
  /** Tokens that the token endpoint issued. */
  readonly tokens: number;
  /** Milliseconds that the slowest request to `/orders` took. */
  readonly longestWait: number;
}

/** Runs one scenario by one package, on servers of their own. */
export async function measure(candidate: Candidate, scenario: Scenario): Promise<Outcome> {
  const server = await startServer(scenario.server);
  const client = await candidate.connect(server);
  const calls: Promise<void>[] = [];
  let errors = 0;
  let longestWait = 0;

  async function call(path: string): Promise<void> {
    const started = performance.now();
    const good = await succeeds(client, path);
    // Nothing mends the other path: its refusals are seen on the wire.
    if (path !== '/orders') return;
    if (!good) errors += 1;
    longestWait = Math.max(longestWait, performance.now() - started);
  }
  const send = (path: string): void => void calls.push(call(path));

  try {
    for (let n = 0; n < (scenario.burst ?? 1); n++) send('/orders');
    // What follows meets a client that has a token.
    await Promise.all(calls);
    await Promise.all([
      ...Object.entries(scenario.rates).map(([path, rate]) => sendSteadily(path, rate, scenario.duration, send)),
      ...(scenario.steps ?? []).map(({ at, act }) => pause(at).then(() => act(server))),
    ]);
    await Promise.all(calls);
    return { refused: server.counts.refused, errors, tokens: server.counts.tokens, longestWait };
  } finally {
    client.close?.();
    server.close();
  }
}

/** Sends by the clock, so that a late timer does not lower the rate. */
async function sendSteadily(path: string, rate: number, duration: number, send: (path: string) => void): Promise<void> {
  const started = performance.now();
  for (let n = 0; (n * 1000) / rate < duration; n++) {
    await pause(Math.max(0, started + (n * 1000) / rate - performance.now()));
    send(path);
  }
}

async function succeeds(client: Client, path: string): Promise<boolean> {
  const late = new AbortController();
  const timeout = pause(TIMEOUT, false, { signal: late.signal, ref: false }).catch(() => false);
  const answer = client.get(path).then(
    (status) => status === 200,
    () => false,
  );
  try {
    return await Promise.race([answer, timeout]);
  } finally {
    late.abort();
  }
}
