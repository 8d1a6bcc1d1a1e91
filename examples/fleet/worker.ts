import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from 'redis';
import { createFetch, createTokenStream, type TokenRequest, type TokenResponse } from 'rx-fresh-token';
import { redisTokenStore } from 'rx-fresh-token/redis';
import { EVERY, LEAD, LEASE, type Seen, type WorkerSettings } from './settings.js';

/** One process of the fleet: its callers call, and now and then it tells what they met. */
export async function runWorker(): Promise<void> {
  const { redis, issuer, callers } = JSON.parse(process.env.FLEET_WORKER ?? '') as WorkerSettings;
  const client = createClient({
    url: redis,
    socket: { reconnectStrategy: (retries) => Math.min(50 * (retries + 1), 500) },
  });
  client.on('error', () => undefined);
  await client.connect();

  const source = async ({ signal }: TokenRequest): Promise<TokenResponse> => {
    const response = await fetch(`${issuer}/token`, { headers: { 'x-pid': String(process.pid) }, signal });
    return (await response.json()) as TokenResponse;
  };
  const token$ = createTokenStream(source, {
    refreshBefore: LEAD,
    // One of them fetches in any case; without jitter the ideal is easy to tell.
    jitter: 0,
    store: redisTokenStore({ client, key: 'fleet', lease: LEASE }),
    // A token that lives six seconds is revoked more often than the default allows for.
    rejectionBudget: { max: 1_000 },
  });
  const api = createFetch(token$, { baseUrl: issuer });

  let calls = 0;
  let failed = 0;
  let lags: number[] = [];
  token$.events.subscribe((event) => {
    if (event.type === 'tokenChanged' && event.origin === 'shared' && event.previous)
      lags.push(Date.now() - Number(event.token.value.split('-')[2]));
  });

  const caller = async (): Promise<never> => {
    await pause(Math.random() * EVERY);
    for (;;) {
      const ok = await api('/api').then(
        (response) => response.ok,
        () => false,
      );
      calls += 1;
      if (!ok) failed += 1;
      await pause(EVERY * (0.5 + Math.random()));
    }
  };
  process.once('message', () => {
    for (let n = 0; n < callers; n += 1) void caller();
  });

  setInterval(() => {
    const seen: Seen = { calls, failed, lags };
    calls = failed = 0;
    lags = [];
    process.send?.(seen);
  }, 250);
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
}
