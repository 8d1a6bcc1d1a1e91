// Run by canaries-spec.ts in a process of its own: uses everything in every way that may fail, and prints all there is
// to print.
import axios from 'axios';
import { from, lastValueFrom, mergeMap, of } from 'rxjs';
import { createFetch, createTokenStream, withToken, type TokenStream } from 'rx-fresh-token';
import { clientCredentials, fileTokenVault } from 'rx-fresh-token/oauth';
import { attachToken } from 'rx-fresh-token/axios';
import { tabTokenStore } from 'rx-fresh-token/tabs';
import { memoryTokenStore, plainError } from 'rx-fresh-token/testing';
import { canaries } from './canaries.js';
import { entries } from './entries.js';
import { manners, startHostileServer, type HostileServer } from './hostileServer.js';
import { attempt, brief, patient, show, sources, useAll } from './uses.js';

const { clientSecret } = canaries;
const [, , mode = 'everything', path = ''] = process.argv;

/** Mistakes of those who set it up. */
async function mistakes(): Promise<void> {
  const base = { tokenEndpoint: 'https://idp.example/token', clientId: 'me' };
  const wrong: Record<string, () => unknown> = {
    endpoint: () => clientCredentials({ ...base, tokenEndpoint: `not a url ${clientSecret}`, clientSecret }),
    plain: () => clientCredentials({ ...base, tokenEndpoint: `http://idp.example/?${canaries.query}`, clientSecret }),
    auth: () => clientCredentials({ ...base, clientAuth: clientSecret as 'none' }),
    key: () =>
      clientCredentials({ ...base, clientAuth: 'private_key_jwt', privateKey: clientSecret as unknown as CryptoKey }),
    initial: () => createTokenStream(() => of(), { initial: { access_token: `${canaries.token}\n` } }),
    stream: () => withToken(canaries.token as unknown as TokenStream, () => of(1)),
    baseUrl: () =>
      createFetch(
        createTokenStream(() => of()),
        { baseUrl: `http://api.example/?${canaries.query}` },
      ),
  };
  for (const [name, act] of Object.entries(wrong)) await attempt(`mistake: ${name}`, () => Promise.resolve().then(act));
}

/** What shares tokens holds them as well, and axios' errors hold whole requests. */
async function adapters(server: HostileServer): Promise<void> {
  const signedOut = inPage(() => tabTokenStore({ name: 'canaries' }));
  for (const [name, store] of Object.entries({ memory: memoryTokenStore(), tabs: signedOut })) {
    const token$ = createTokenStream(sources(server.tokenUrl('grants'))['client credentials']!, { ...patient, store });
    await useAll(`${name} store`, token$, server);
    show('the store', store);
  }
  signedOut.signOut();
  for (const manner of ['grants', 'mirrors as an OAuth error']) {
    const waits = manner === 'grants' ? patient : brief;
    const token$ = createTokenStream(sources(server.tokenUrl(manner))['client credentials']!, waits);
    // This API mirrors what it gets, and an axios error holds what an API says.
    const api = axios.create({ baseURL: server.origin, timeout: 600, transformResponse: () => 'said' });
    const detach = attachToken(api, token$);
    for (const path of ['/ok', '/500', '/403', '/away', '/401'])
      await attempt(`axios ${path}`, () => api.post(path, {}));
    token$.events.subscribe((event) => {
      show('axios: event', plainError(event));
    });
    token$.close();
    await attempt('axios: closed', () => api.get('/ok'));
    detach();
  }
}

/**
 * A store for tabs is created in a page. This one has nothing but the events; the store works alone without
 * localStorage.
 */
function inPage<T>(create: () => T): T {
  Object.assign(globalThis, { window: new EventTarget(), document: new EventTarget() });
  try {
    return create();
  } finally {
    for (const name of ['window', 'document']) Reflect.deleteProperty(globalThis, name);
  }
}

/** All sources at a server of one manner. */
async function allSources(manner: string, server: HostileServer): Promise<void> {
  const uses = Object.entries(sources(server.tokenUrl(manner)))
    // What a server says of a source that the library knows nothing of cannot be searched for that source's secrets.
    .filter(([name]) => name !== 'one of their own' || !manner.startsWith('mirrors'))
    .map(([name, source]) => {
      show('the source', source);
      return useAll(`${name}, ${manner}`, createTokenStream(source, brief), server);
    });
  await Promise.all(uses);
}

async function everything(server: HostileServer): Promise<void> {
  // Most of it is waiting for what will not come.
  await lastValueFrom(from(Object.keys(manners)).pipe(mergeMap((manner) => allSources(manner, server), 6)));
  await adapters(server);
  const vault = fileTokenVault(path);
  show('the vault', vault);
  await attempt('vault: write', () => vault.write({ refresh_token: canaries.refreshToken }));
  await mistakes();
}

async function main(): Promise<void> {
  const server = await startHostileServer();
  if (mode === 'everything' || mode === 'entries') {
    await (mode === 'everything' ? everything(server) : entries(server, path));
    server.close();
    return;
  }
  // A failure that nobody handles: Node prints it with all its properties, and ends.
  const token$ = createTokenStream(
    sources(server.tokenUrl('mirrors as an OAuth error'))['client credentials, by post']!,
  );
  if (mode === 'uncaught') token$.subscribe();
  else void createFetch(token$, { baseUrl: server.origin })(`/ok?${canaries.query}`);
}

void main();
