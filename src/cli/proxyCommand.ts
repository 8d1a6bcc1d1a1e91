/** `rx-fresh-token proxy`: serves until the process is asked to end. */
import { unwatchFile, watchFile } from 'node:fs';
import { distinctUntilChanged, filter, map, merge, NEVER, skip, startWith, type Observable } from 'rxjs';
import { orAborted } from '../internal/async/onAbort.js';
import type { ProxyLogEntry } from '../proxy/options.js';
import { startTokenProxy } from '../proxy/startTokenProxy.js';
import type { TokenEvent } from '../token/events.js';
import type { TokenStream } from '../token/types.js';
import { awaitToken } from './awaitToken.js';
import type { CommandIo } from './io.js';
import type { ParsedOptions } from './options.js';
import { commandStream } from './tokenSource.js';

/** So long a request waits for a token. Clients have time limits of their own. Milliseconds. */
const MAX_WAIT = 10_000;

/** So long the requests under way may take at the end. `docker stop` kills after 10 s. Milliseconds. */
const GRACE = 8_000;

/** How often the file with the secret is looked at. Milliseconds. */
const SECRET_INTERVAL = 1_000;

/** Serves until the process is asked to end, and then finishes the requests under way. */
export async function runProxy(options: ParsedOptions, io: CommandIo): Promise<void> {
  const to = options.required('to');
  const token$ = commandStream(options, { maxWait: MAX_WAIT });
  const stop = io.stop();
  try {
    const proxy = await startTokenProxy(token$, {
      to,
      listen: options.text('listen'),
      grace: GRACE,
      allowInsecureRequests: options.has('allow-insecure-requests'),
      allowRemoteClients: options.has('allow-remote-clients'),
      allowedHosts: options.texts('allowed-host'),
      incomingAuthorization: options.has('replace-authorization') ? 'replace' : 'refuse',
      log: options.has('quiet') ? undefined : (entry) => io.out(lineOfRequest(entry)),
    });
    try {
      // What is wrong with the credentials is told now, and not to the first client.
      if ((await awaitToken(token$, stop)) === null) return;
      tokenLines(token$.events).subscribe((line) => io.err(`${new Date().toISOString()} ${line}`));
      const unwatch = refreshOnChange(options.required('client-secret-file'), token$);
      io.out(`listening on ${proxy.url}`);
      await orAborted(NEVER, stop).catch(() => undefined);
      unwatch();
    } finally {
      await proxy.close();
    }
  } finally {
    token$.close();
  }
}

/**
 * Asks for a token when the file changes and there is no token: after a secret that was refused, the stream would pause
 * for up to a minute.
 *
 * @returns a function that ends it
 */
export function refreshOnChange(file: string, token$: Pick<TokenStream, 'current' | 'refresh'>): () => void {
  const refresh = () => {
    if (token$.current === null) token$.refresh().subscribe({ error: () => undefined });
  };
  watchFile(file, { persistent: false, interval: SECRET_INTERVAL }, refresh);
  return () => unwatchFile(file, refresh);
}

const lineOfRequest = ({ method, path, status, took, sent, error }: ProxyLogEntry): string =>
  [
    `${new Date().toISOString()} ${method} ${path} ${String(status)} ${took.toFixed(1)} ms`,
    ...(sent > 1 ? ['repeated'] : []),
    ...(error === undefined ? [] : [error]),
  ].join(', ');

const HEALTHY = 'there is a new token again';

/** What standard error says of the token. A failure that goes on is told once, and its end too. */
export function tokenLines(events$: Observable<TokenEvent>): Observable<string> {
  const changes$ = events$.pipe(
    filter((event) => event.type === 'refreshFailed' || event.type === 'tokenChanged'),
    map((event) => (event.type === 'refreshFailed' ? `no new token: ${event.message}` : HEALTHY)),
    startWith(HEALTHY),
    distinctUntilChanged(),
    skip(1),
  );
  const rejections$ = events$.pipe(
    filter((event) => event.type === 'tokenRejected'),
    // A 403 to a request that is not allowed would be a line each time.
    filter(({ outcome }) => outcome === 'refreshing'),
    map(({ token, outcome }) => `the token was rejected: ${String(token)}, ${outcome}`),
  );
  return merge(changes$, rejections$);
}
