import { EMPTY } from 'rxjs';
import {
  createFetch,
  createHttpClient,
  createTokenStream,
  takeToken,
  withToken,
  type BackoffOptions,
  type FetchOptions,
  type HttpClientOptions,
  type RejectionBudget,
  type TakeTokenOptions,
  type TokenStreamOptions,
  type WithTokenOptions,
} from 'rx-fresh-token';
import {
  connectWithToken,
  eventStream,
  type ConnectOptions,
  type EventStreamOptions,
  type ReconnectOptions,
} from 'rx-fresh-token/connect';
import { createTokenPool, type TokenPoolDeleteOptions, type TokenPoolOptions } from 'rx-fresh-token/pool';
import { createTokenProxy, startTokenProxy } from 'rx-fresh-token/proxy';
import type { StartTokenProxyOptions, TokenProxyOptions } from 'rx-fresh-token/proxy';
import { streamingCredentials, type StreamingCredentialsOptions } from 'rx-fresh-token/redis';
import {
  fakeTokenSource,
  scriptedApi,
  startTokenServer,
  storeContract,
  type FakeTokenSourceOptions,
  type ScriptedApiOptions,
  type StoreContractOptions,
  type TokenServerOptions,
} from 'rx-fresh-token/testing';

const source = () => [{ access_token: 'T', expires_in: 30 }];
const token$ = createTokenStream(source);
const pool = createTokenPool(() => source);

/** Every name of the type; the values need not be good. */
type Names<T> = Record<keyof T, 0>;

const stream: Names<Omit<TokenStreamOptions, 'store' | 'initial'>> = {
  refreshBefore: 0,
  expiryMargin: 0,
  jitter: 0,
  idleTimeout: 0,
  fetchTimeout: 0,
  maxWait: 0,
  backoff: 0,
  isPermanent: 0,
  rejectionBudget: 0,
  tokenType: 0,
  lifetime: 0,
  scheduler: 0,
  now: 0,
  random: 0,
  wake: 0,
};
const clients: Names<FetchOptions> = {
  baseUrl: 0,
  allowedOrigins: 0,
  allowInsecureRequests: 0,
  fetch: 0,
  authorize: 0,
  isRejection: 0,
};
const pauses: Names<BackoffOptions> = { initial: 0, max: 0, factor: 0 };
const connections = { isRejection: 0, reconnect: 0, isFinal: 0, maxWait: 0 } as const;
const proxy: Names<TokenProxyOptions> = {
  to: 0,
  allowInsecureRequests: 0,
  allowRemoteClients: 0,
  allowedHosts: 0,
  incomingAuthorization: 0,
  repeatLimit: 0,
  timeout: 0,
  isRejection: 0,
  agent: 0,
  log: 0,
};

/** One function: its name, how to call it with options, all that it knows, and what must be given. */
const known = <T>(
  name: string,
  call: (options: T) => unknown,
  names: Names<T>,
  required: Partial<T> = {},
  prefix = '',
): [string, (options: object) => unknown, string[], object, string] => [
  name,
  call as (options: object) => unknown,
  Object.keys(names),
  required,
  prefix,
];

describe.each([
  known<TokenStreamOptions>('createTokenStream', (options) => createTokenStream(source, options), {
    ...stream,
    store: 0,
    initial: 0,
  }),
  known<BackoffOptions>('backoff', (backoff) => createTokenStream(source, { backoff }), pauses, {}, 'backoff.'),
  known<RejectionBudget>(
    'rejectionBudget',
    (rejectionBudget) => createTokenStream(source, { rejectionBudget }),
    { max: 0, per: 0 },
    {},
    'rejectionBudget.',
  ),
  known<WithTokenOptions>('withToken', (options) => withToken(token$, () => EMPTY, options), {
    isRejection: 0,
    key: 0,
    maxWait: 0,
  }),
  known<WithTokenOptions>('withToken as an operator', (options) => withToken(() => EMPTY, options), {
    isRejection: 0,
    key: 0,
    maxWait: 0,
  }),
  known<TakeTokenOptions>('takeToken', (options) => takeToken(token$, options), { maxWait: 0 }),
  known<FetchOptions>('createFetch', (options) => createFetch(token$, options), clients),
  known<HttpClientOptions>('createHttpClient', (options) => createHttpClient(token$, options), {
    ...clients,
    headers: 0,
    timeout: 0,
  }),
  known<TokenPoolOptions<string>>('createTokenPool', (options) => createTokenPool(() => source, options), {
    ...stream,
    max: 0,
    concurrency: 0,
    idOf: 0,
    store: 0,
    chainOf: 0,
  }),
  known<TokenPoolDeleteOptions>('delete of a pool', (options) => pool.delete('acme', options), { signOut: 0 }),
  known<ConnectOptions>('connectWithToken', (options) => connectWithToken(token$, () => EMPTY, options), {
    ...connections,
    onRenewal: 0,
  }),
  known<ReconnectOptions>(
    'reconnect',
    (reconnect) => connectWithToken(token$, () => EMPTY, { reconnect }),
    { ...pauses, count: 0, random: 0 },
    {},
    'reconnect.',
  ),
  known<EventStreamOptions>(
    'eventStream',
    (options) => eventStream(token$, 'https://api.example', options),
    { ...connections, ...clients, headers: 0 },
    { baseUrl: 'https://api.example' },
  ),
  known<TokenProxyOptions>('createTokenProxy', (options) => createTokenProxy(token$, options), proxy, {
    to: 'https://api.example',
  }),
  known<StartTokenProxyOptions>(
    'startTokenProxy',
    (options) => startTokenProxy(token$, options).then((running) => running.close()),
    { ...proxy, listen: 0, grace: 0 },
    { to: 'https://api.example' },
  ),
  known<StreamingCredentialsOptions>('streamingCredentials', (options) => streamingCredentials(token$, options), {
    username: 0,
  }),
  known<FakeTokenSourceOptions>('fakeTokenSource', fakeTokenSource, {
    scheduler: 0,
    now: 0,
    latency: 0,
    lifetime: 0,
    steps: 0,
    names: 0,
    maxCalls: 0,
    allowOverlap: 0,
  }),
  known<ScriptedApiOptions>(
    'scriptedApi',
    scriptedApi,
    {
      tokens: 0,
      scheduler: 0,
      delay: 0,
      steps: 0,
      refuseWith: 0,
      answer: 0,
      responses: 0,
      maxCalls: 0,
      tolerate: 0,
    },
    { tokens: [] },
  ),
  known<TokenServerOptions>(
    'startTokenServer',
    (options) => startTokenServer(options).then((server) => server.close()),
    { lifetime: 0, latency: 0, port: 0, names: 0, refuseWith: 0 },
  ),
  known<StoreContractOptions>(
    'storeContract',
    storeContract,
    { create: 0, timeout: 0 },
    { create: () => ({ stores: [] }) },
  ),
])('the options of %s', (_name, call, names, required, prefix) => {
  const failureOf = async (options: object): Promise<unknown> => {
    try {
      await call({ ...required, ...options });
    } catch (failure) {
      return failure;
    }
    return null;
  };

  it.each(['nosuch', 'toString', 'constructor'])('should be refused by name if there is none: %s', async (name) => {
    expect(await failureOf({ [name]: 5 })).toEqual(new TypeError(`unknown option "${prefix}${name}"`));
  });

  it('should not be refused by name if there is one', async () => {
    for (const name of names)
      // A bad value may be refused, but not because nobody knows the name.
      expect(String(await failureOf({ [name]: Symbol.iterator }))).not.toContain('unknown option');
    expect(
      await failureOf(Object.fromEntries(names.filter((n) => !(n in required)).map((n) => [n, undefined]))),
    ).toBeNull();
  });

  it('should not count when undefined, or when a library adds them to all objects', async () => {
    expect(await failureOf({ nosuch: undefined })).toBeNull();
    const prototype = Object.prototype as { stray?: unknown };
    prototype.stray = () => undefined;
    const failure = await failureOf({});
    delete prototype.stray;
    expect(failure).toBeNull();
  });
});

it.each<[string, () => unknown, string]>([
  [
    'createFetch',
    () => createFetch(token$, { baseURL: 'https://api.example' } as object),
    'baseURL": did you mean "baseUrl"?',
  ],
  [
    'createHttpClient',
    () => createHttpClient(token$, { baseURL: 'https://api.example' } as object),
    'baseURL": did you mean "baseUrl"?',
  ],
  ['createTokenStream', () => createTokenStream(source, { maxwait: 5 } as object), 'maxwait": did you mean "maxWait"?'],
  [
    'an option that is an object',
    () => createTokenStream(source, { backoff: { Max: 5 } } as object),
    'backoff.Max": did you mean "backoff.max"?',
  ],
])('should name the right option of %s if only the case of a letter is wrong', (_name, call, end) => {
  expect(call).toThrow(`unknown option "${end}`);
});
