import { filter, firstValueFrom, fromEvent, map, merge, type Observable } from 'rxjs';
import { createHttpClient, createTokenStream, type TokenStream, type TokenStreamOptions } from 'rx-fresh-token';
import { clientCredentials } from 'rx-fresh-token/oauth';
import { directNetwork, type Client, type ClientSettings } from './client.js';
import { describe } from './tokenLines.js';
import { Wire } from './wire.js';

export interface FreshClient extends Client {
  readonly token$: TokenStream;
}

/** The client on this library: a stream of fresh tokens, and an HTTP client that rides on it. */
export function freshClient(
  settings: ClientSettings,
  options: TokenStreamOptions,
  say: (line: string) => void,
  network = directNetwork,
): FreshClient {
  const { tokenEndpoint, clientId, clientSecret, scope, url, urlOf, method, headers } = settings;
  const wire = new Wire(network.api);

  const token$ = createTokenStream(
    clientCredentials({ tokenEndpoint, clientId, clientSecret, scope, fetch: network.token }),
    options,
  );
  const http = createHttpClient(token$, { allowedOrigins: [url.origin], fetch: wire.fetch, headers, timeout: 30_000 });

  let tokensFetched = 0;
  token$.events.subscribe((event) => {
    if (event.type === 'tokenChanged' && event.origin === 'fetched') tokensFetched += 1;
    const line = describe(event);
    if (line !== undefined) say(line);
  });

  return {
    title: 'rx-fresh-token',
    wire,
    token$,
    send: (record) =>
      http.request(urlOf?.(record) ?? url, { method, body: record.text, headers: { 'Idempotency-Key': record.key } }),
    get tokensFetched() {
      return tokensFetched;
    },
    start: (stop) => {
      // Subscribed until it is closed, so that renewals go on while a slow rate leaves the token unused.
      // A failure is not for this subscriber: the requests report it.
      token$.subscribe({ error: () => undefined });
      return firstValueFrom(merge(lostPatience(token$), token$, fromEvent(stop, 'abort')));
    },
    close: () => token$.close(),
  };
}

/**
 * A stream does not give up by itself while a failure may pass. At the start the likely cause is a wrong address, so
 * three failures in a row, or one that took long, are enough.
 */
function lostPatience(token$: TokenStream): Observable<never> {
  const started = performance.now();
  return token$.events.pipe(
    filter((event) => event.type === 'refreshFailed'),
    filter(({ attempt, permanent }) => !permanent && (attempt >= 3 || performance.now() - started > 5_000)),
    map(({ error }) => {
      throw error;
    }),
  );
}
