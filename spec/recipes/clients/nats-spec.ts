import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, jwtAuthenticator, type NatsConnection } from 'nats';
import { encodeAccount, encodeOperator, encodeUser } from 'nats-jwt';
import { createAccount, createOperator, createUser } from 'nkeys.js';
import { createTokenStream, type TokenStream } from 'rx-fresh-token';
import { connectWithToken } from './nats.recipe.js';
import { freePort, startServer, temporaryFolder } from './servers.js';
import { throughThree, until } from './support.js';

const account = createAccount();
/** Looks at the server often. */
const often = { reconnectTimeWait: 100, timeout: 10_000 };

let stop: () => Promise<void>;
let servers: string;
let monitor: string;
let token$: TokenStream;
/** The tokens of connections that the server has shown. */
let accepted: Set<string>;
let connection: NatsConnection | undefined;

beforeAll(async () => {
  const folder = temporaryFolder();
  const [port, http, operator] = [await freePort(), await freePort(), createOperator()];
  const limits = { conn: -1, subs: -1, data: -1, payload: -1 };
  const accountToken = await encodeAccount('shop', account, { limits }, { signer: operator });
  const lines = [
    `listen: "127.0.0.1:${port}"`,
    `http: "127.0.0.1:${http}"`,
    `operator: ${await encodeOperator('spec', operator)}`,
    'resolver: MEMORY',
    // Two seconds are the default, and a busy machine takes longer.
    'authorization: { timeout: 30 }',
    `resolver_preload: { ${account.getPublicKey()}: ${accountToken} }`,
  ];
  writeFileSync(join(folder, 'nats.conf'), lines.join('\n'));
  stop = await startServer('/usr/sbin/nats-server', ['-c', join(folder, 'nats.conf')], { port, folder });
  [servers, monitor] = [`127.0.0.1:${port}`, `http://127.0.0.1:${http}/connz?auth=1`];
});
afterAll(() => stop());

/** NATS' own kind of JWT, which names its end in whole seconds. A bearer token needs no signature of the client. */
async function newToken() {
  const exp = Math.floor(Date.now() / 1000) + 5;
  const access_token = await encodeUser('orders', createUser(), account, { bearer_token: true }, { exp });
  return { access_token, expires_in: exp - Date.now() / 1000 };
}

beforeEach(() => {
  accepted = new Set();
  token$ = createTokenStream(newToken, { expiryMargin: 1500 });
});
afterEach(async () => {
  await connection?.close();
  token$.close();
});

async function look(): Promise<void> {
  const { connections } = (await (await fetch(monitor)).json()) as { connections: { jwt?: string }[] };
  for (const { jwt } of connections) if (jwt) accepted.add(jwt);
}

/** What the server has said. */
function errorsOf(connection: NatsConnection): Set<string> {
  const errors = new Set<string>();
  void (async () => {
    for await (const { type, data } of connection.status()) if (type === 'error') errors.add(String(data));
  })();
  return errors;
}

it('the server closes at the end of the token, and the client connects again with another', async () => {
  connection = await connectWithToken(token$, { servers, ...often });
  const errors = errorsOf(connection);
  let received = 0;
  connection.subscribe('orders', { callback: () => received++ });
  await throughThree(accepted, look);
  const before = received;
  // A message that is published while the connection is lost may be lost.
  await until(() => {
    connection?.publish('orders');
    return received > before;
  });
  expect(errors).toContain('AUTHENTICATION_EXPIRED');
  expect(errors).not.toContain('AUTHORIZATION_VIOLATION');
});

it('a source that fails permanently closes the connection', async () => {
  const failing$ = createTokenStream(async () => {
    if (accepted.size > 0) throw Object.assign(new Error(), { status: 400, error: 'invalid_client' });
    return newToken();
  });
  connection = await connectWithToken(failing$, { servers, ...often });
  await look();
  await connection.closed();
  failing$.close();
});

it('control: a fixed token is rejected after its end, and the client gives up', async () => {
  const { access_token } = await newToken();
  connection = await connect({
    servers,
    ...often,
    maxReconnectAttempts: -1,
    authenticator: jwtAuthenticator(access_token),
  });
  const errors = errorsOf(connection);
  await look();
  await connection.closed();
  expect(errors).toContain('AUTHENTICATION_EXPIRED');
  expect(accepted.size).toBe(1);
});
