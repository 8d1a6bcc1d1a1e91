// A command-line tool, started by processes.ts. Told by WORKER what to do; asks by IPC before it goes on with an
// exchange.
import { createTokenStream, takeToken } from 'rx-fresh-token';
import { fileTokenStore } from 'rx-fresh-token/file';
import { refreshToken } from 'rx-fresh-token/oauth';
import { firstValueFrom } from 'rxjs';
import type { FromWorker, Step, WorkerConfig } from './processes.js';

const { path, issuer, clientId, clientSecret, seed } = JSON.parse(process.env.WORKER ?? '') as WorkerConfig;
const tell = (message: FromWorker) => process.send?.(message);

/** Goes on when the parent says so, if it does not kill this process. */
const step = (name: Step) =>
  new Promise<void>((resolve) => {
    process.once('message', () => {
      resolve();
    });
    tell({ type: 'step', name });
  });

const token$ = createTokenStream(
  refreshToken({
    issuer,
    clientId,
    clientSecret,
    refreshToken: seed,
    fetch: async (url, init) => {
      if (init?.method !== 'POST') return fetch(url, init);
      await step('before');
      const response = await fetch(url, init);
      await step('answered');
      return response;
    },
  }),
  { store: fileTokenStore(path) },
);

token$.events.subscribe((event) => {
  if (event.type === 'tokenChanged')
    tell({ type: 'token', value: event.token.value, fetched: event.origin === 'fetched' });
  if (event.type === 'refreshFailed') tell({ type: 'failed', message: event.message });
});
token$.subscribe({ error: () => undefined });

for (;;) {
  const from = performance.now();
  await firstValueFrom(takeToken(token$)).catch((error: unknown) => {
    tell({ type: 'callFailed', message: String(error) });
  });
  tell({ type: 'call', waited: performance.now() - from });
  await new Promise((resolve) => setTimeout(resolve, 100));
}
