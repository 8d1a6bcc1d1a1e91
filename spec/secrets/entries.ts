// The entries besides the root, oauth, axios and tabs: each used as its guide says, and with every mistake that may
// show a secret.
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { subscribe } from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstValueFrom, NEVER, throwError } from 'rxjs';
import { createTokenStream, takeToken, type TokenSource, type TokenStream } from 'rx-fresh-token';
import { connectWithToken, eventStream, type Connect } from 'rx-fresh-token/connect';
import { fileTokenStore } from 'rx-fresh-token/file';
import { observeToken, publishToken } from 'rx-fresh-token/otel';
import { createTokenPool } from 'rx-fresh-token/pool';
import { createTokenProxy, startTokenProxy } from 'rx-fresh-token/proxy';
import { memoryTokenStore } from 'rx-fresh-token/testing';
import { canaries } from './canaries.js';
import type { HostileServer } from './hostileServer.js';
import { attempt, brief, patient, show, sources, useAll } from './uses.js';

const { clientSecret, query, header } = canaries;
const REFUSING = 'mirrors as an OAuth error';

/** Every entry at the same time: most of it is waiting. */
export async function entries(server: HostileServer, folder: string): Promise<void> {
  await Promise.all([
    files(server, folder),
    pools(server),
    proxies(server),
    watchers(server),
    connections(server),
    attemptAll('mistake: file', fileMistakes(folder)),
    attemptAll('mistake: pool', poolMistakes()),
    attemptAll('mistake: proxy', proxyMistakes()),
    attemptAll('mistake: otel', otelMistakes()),
    attemptAll('mistake: connect', connectMistakes()),
  ]);
}

async function attemptAll(what: string, acts: Record<string, () => unknown>): Promise<void> {
  for (const [name, act] of Object.entries(acts)) await attempt(`${what}, ${name}`, () => Promise.resolve().then(act));
}

const sourceAt = (server: HostileServer, manner: string, kind = 'client credentials'): TokenSource =>
  sources(server.tokenUrl(manner))[kind]!;

async function files(server: HostileServer, folder: string): Promise<void> {
  const store = fileTokenStore(join(folder, 'token.json'));
  await useAll('file store', createTokenStream(sourceAt(server, 'grants'), { ...patient, store }), server);
  show('file store: the store', store);
  // The next stream finds the token in the file.
  const second = { ...patient, store: fileTokenStore(join(folder, 'token.json')) };
  const shared$ = createTokenStream(sourceAt(server, 'grants', 'refresh token'), second);
  await attempt('file store: shared token', () => firstValueFrom(shared$));
  shared$.close();
  // Here somebody else writes the file after the stream was made.
  const later = { ...brief, store: fileTokenStore(join(folder, 'later.json')) };
  const token$ = createTokenStream(sourceAt(server, 'grants', 'refresh token'), later);
  token$.events.subscribe((event) => {
    show(`file store: ${event.type}`, event);
  });
  const options = { mode: 0o600 };
  writeFileSync(join(folder, 'later.json'), JSON.stringify({ refresh_token: canaries.refreshToken }), options);
  await attempt('file store: foreign file', () => firstValueFrom(takeToken(token$)));
  token$.close();
}

const waitsAt = (manner: string): typeof brief => (manner === REFUSING ? brief : patient);

const fileMistakes = (folder: string): Record<string, () => unknown> => {
  const holding = (name: string, text: string, mode = 0o600) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode });
    return () => fileTokenStore(path);
  };
  return {
    text: holding('text', clientSecret),
    'cut off': holding('cut', `{"rx-fresh-token":1,"response":{"access_token":"${canaries.token}`),
    'another format': holding('other', JSON.stringify({ refresh_token: canaries.refreshToken })),
    'another version': holding('version', JSON.stringify({ 'rx-fresh-token': 9, response: { x: canaries.token } })),
    readable: holding('readable', canaries.token, 0o644),
  };
};

async function pools(server: HostileServer): Promise<void> {
  const pool = createTokenPool((manner: string) => sourceAt(server, manner, 'refresh token'), {
    ...brief,
    store: () => memoryTokenStore(),
  });
  pool.events.subscribe((event) => {
    show(`pool: ${event.type}`, event);
  });
  for (const manner of ['grants', REFUSING]) await useAll(`pool, ${manner}`, pool.get(manner), server);
  pool.delete('grants', { signOut: true });
  show('pool: the pool', pool);
  pool.close();
  await attempt('pool: closed', () => Promise.resolve(pool.get('grants')));
  const chained = createTokenPool(() => sourceAt(server, 'grants', 'refresh token'), {
    ...brief,
    chainOf: () => 'one',
  });
  for (const audience of ['stock', 'bank'])
    await attempt(`pool: ${audience}`, () => firstValueFrom(chained.get({ audience })));
  show('pool: the chained pool', chained);
  chained.close();
}

const poolMistakes = (): Record<string, () => unknown> => {
  const source = () => () => NEVER;
  const secret: never = clientSecret as never;
  return {
    source: () => createTokenPool(secret),
    'made source': () => createTokenPool(() => secret).get('a'),
    initial: () => createTokenPool(source, { initial: { access_token: canaries.token } } as object),
    store: () => createTokenPool(source, { store: () => secret }).get('a'),
    idOf: () => createTokenPool(source, { idOf: () => ({ secret }) as never }).get('a'),
    chainOf: () => createTokenPool(source, { chainOf: () => ({ secret }) as never }).get('a'),
    key: () => createTokenPool(source).get({ secret, at: new Date() }),
  };
};

async function proxies(server: HostileServer): Promise<void> {
  for (const manner of ['grants', 'grants DPoP', REFUSING]) {
    const token$ = createTokenStream(
      sourceAt(server, manner, manner === 'grants DPoP' ? 'client credentials, DPoP' : 'client credentials'),
      waitsAt(manner),
    );
    const log = (entry: unknown) => {
      show(`proxy: log, ${manner}`, entry);
    };
    const options = { to: server.origin, timeout: 600, log };
    const proxy = await startTokenProxy(token$, options);
    show('proxy: the proxy', [proxy, createTokenProxy(token$, options)]);
    for (const path of ['ok', '401', '500', 'away', '-/health'])
      await attempt(`proxy: /${path}`, () => answered(`${proxy.url}/${path}?${query}`, { 'x-key': header }));
    for (const page of ['health', 'metrics'])
      await attempt(`proxy: ${page}`, () => fetch(`${proxy.url}/-/${page}`).then((response) => response.text()));
    await attempt('proxy: own token', () => answered(`${proxy.url}/ok`, { authorization: `Bearer ${canaries.token}` }));
    await attempt('proxy: taken', () => startTokenProxy(token$, { ...options, listen: new URL(proxy.url).host }));
    await proxy.close();
    token$.close();
  }
}

/** What the proxy itself says. What it passes on is the server's, and not printed. */
async function answered(url: string, headers: Record<string, string>): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', headers, body: clientSecret, redirect: 'manual' });
  const own = response.headers.get('proxy-status');
  const text = await response.text();
  return { status: response.status, own, text: own === null ? '' : text };
}

const proxyMistakes = (): Record<string, () => unknown> => {
  const token$ = createTokenStream(() => NEVER);
  const to = 'https://api.example';
  const proxy = (options: object) => () => createTokenProxy(token$, { to, ...options });
  return {
    stream: () => createTokenProxy(canaries.token as unknown as TokenStream, { to }),
    'no URL': proxy({ to: clientSecret }),
    credentials: proxy({ to: `https://me:${encodeURIComponent(clientSecret)}@api.example` }),
    query: proxy({ to: `${to}?${query}` }),
    plain: proxy({ to: `http://api.example?${query}` }),
    scheme: proxy({ to: `ftp://me:${query}@api.example/` }),
  };
};

class Reader extends MetricReader {
  protected override onForceFlush = () => Promise.resolve();
  protected override onShutdown = () => Promise.resolve();
}

async function watchers(server: HostileServer): Promise<void> {
  const reader = new Reader();
  const meter = new MeterProvider({ readers: [reader] }).getMeter('canaries');
  for (const type of ['refreshStarted', 'tokenChanged', 'refreshFailed', 'tokenRejected', 'tokenExpired', 'closed'])
    subscribe(`rx-fresh-token:${type}`, (message) => {
      show(`otel: message ${type}`, message);
    });
  for (const manner of ['grants', REFUSING]) {
    const token$ = createTokenStream(sourceAt(server, manner), waitsAt(manner));
    show('otel: watching', [observeToken(token$, { meter, name: 'api' }), publishToken(token$, { name: 'api' })]);
    await useAll(`otel, ${manner}`, token$, server);
  }
  show('otel: metrics', (await reader.collect()).resourceMetrics.scopeMetrics);
}

const otelMistakes = (): Record<string, () => unknown> => {
  const token$ = createTokenStream(() => NEVER);
  return {
    stream: () => observeToken(canaries.token as unknown as TokenStream, { meter: {} as never, name: 'api' }),
    meter: () => observeToken(token$, { meter: { clientSecret } as never, name: 'api' }),
    name: () => publishToken(token$, { name: { clientSecret } as never }),
  };
};

const reconnect = { initial: 5, max: 5, count: 2 };

async function connections(server: HostileServer): Promise<void> {
  for (const manner of ['grants', REFUSING]) {
    const token$ = createTokenStream(sourceAt(server, manner), waitsAt(manner));
    token$.events.subscribe((event) => {
      show(`connect: ${event.type}`, event);
    });
    const { maxWait } = waitsAt(manner);
    const options = { baseUrl: server.origin, headers: { 'x-key': header }, reconnect, maxWait };
    for (const path of ['ok', '401', '403', '500', 'away'])
      await attempt(`connect: events of /${path}`, () =>
        firstValueFrom(eventStream(token$, `/${path}?${query}`, options)),
      );
    for (const code of [1006, 4401])
      await attempt(`connect: code ${String(code)}`, () => {
        const end = Object.assign(new Error('it was closed'), { code });
        const connect: Connect<never> = () => throwError(() => end);
        const messages$ = connectWithToken(token$, connect, { reconnect, maxWait });
        show('connect: messages$', messages$);
        return firstValueFrom(messages$);
      });
    token$.close();
    await attempt('connect: closed', () => firstValueFrom(eventStream(token$, `/ok?${query}`, options)));
  }
}

const connectMistakes = (): Record<string, () => unknown> => {
  const token$ = createTokenStream(() => NEVER);
  const secret: never = clientSecret as never;
  const baseUrl = 'https://api.example';
  return {
    stream: () => connectWithToken(canaries.token as unknown as TokenStream, () => NEVER),
    connect: () => connectWithToken(token$, secret),
    elsewhere: () => eventStream(token$, `https://elsewhere.example/?${query}`, { baseUrl }),
    'no URL': () => eventStream(token$, `https://${clientSecret}`, { baseUrl }),
    headers: () => eventStream(token$, '/events', { baseUrl, headers: secret }),
    'header of two lines': () => eventStream(token$, '/events', { baseUrl, headers: { 'x-key': `${header}\n` } }),
    credentials: () => eventStream(token$, '/events', { baseUrl: `https://me:${query}@api.example` }),
  };
};
