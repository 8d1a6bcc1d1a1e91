import { createServer, type AddressInfo } from 'node:net';
import { Aedes } from 'aedes';
import { connect, type MqttClient } from 'mqtt';
import { connectWithToken } from './mqtt.recipe.js';
import { Api, until, wait } from './support.js';

const NOT_AUTHORIZED = 5;

let api: Api;
let broker: Aedes;
const server = createServer((socket) => broker.handle(socket));
let client: MqttClient | undefined;
let url: string;

beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((done) => server.close(done)));

beforeEach(async () => {
  api = new Api();
  broker = await Aedes.createBroker();
  broker.authenticate = (connection, _user, password, answer) => {
    const value = String(password);
    if (!api.admit(value)) return answer(Object.assign(new Error(), { returnCode: NOT_AUTHORIZED }), false);
    connection.conn.once(
      'close',
      api.whenEnded(value, () => connection.close()),
    );
    answer(null, true);
  };
});
afterEach(async () => {
  await client?.endAsync(true);
  await new Promise<void>((done) => broker.close(done));
  await api.close();
});

it('the client connects again with another token, and its subscription goes on', async () => {
  client = await connectWithToken(api.token$, url, { username: 'orders' });
  // The broker cuts the connection.
  client.on('error', () => undefined);
  let received = 0;
  client.on('message', () => received++);
  await client.subscribeAsync('orders', { qos: 1 });
  await api.throughThreeTokens(() => Promise.resolve());
  const before = received;
  // A message that comes before the client has subscribed again is not delivered.
  await until(() => {
    client!.publish('orders', 'one', { qos: 1 });
    return received > before;
  });
  expect(api.rejected).toBe(0);
});

it('a token that is revoked is rejected by the application, and the client connects again by itself', async () => {
  client = await connectWithToken(api.token$, url, { username: 'orders' });
  client.on('error', (error) => {
    const isRejection = (error as { code?: unknown }).code === NOT_AUTHORIZED;
    if (isRejection && api.token$.current) api.token$.reject(api.token$.current);
  });
  await until(() => client!.connected);
  api.revoke();
  await until(() => api.accepted.size === 2);
  expect(api.rejected).toBeGreaterThan(0);
  expect(api.expired).toBe(0);
});

it('tells of a source that fails permanently by the event "error"', async () => {
  const failing = new Api({ steps: ['token', 'permanent'] });
  try {
    client = await connectWithToken(failing.token$, url, { username: 'orders' });
    const error = await new Promise((done) =>
      client!.on('error', (each) => each.name === 'TokenUnavailableError' && done(each)),
    );
    expect(error).toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE' });
  } finally {
    await failing.close();
  }
});

it('control: a fixed password is rejected after the end of its token, and the client gives up', async () => {
  client = connect(url, { username: 'orders', password: await api.take(), reconnectPeriod: 100 });
  await new Promise<void>((done) =>
    client!.on('error', (error) => (error as { code?: unknown }).code === NOT_AUTHORIZED && done()),
  );
  await wait(500);
  expect([api.accepted.size, api.rejected, api.expired]).toEqual([1, 1, 1]);
});
