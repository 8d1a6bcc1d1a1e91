import { connect, type ChannelModel } from 'amqplib';
import { Client, type StompConfig } from '@stomp/stompjs';
import { createTokenStream, type TokenStream } from 'rx-fresh-token';
import { WebSocket } from 'ws';
import { connectWithToken } from './amqplib.recipe.js';
import { ends, newToken, startRabbit } from './rabbitmq.js';
import { clientWithToken } from './stomp.recipe.js';
import { throughThree, until, untilItFails, wait } from './support.js';

let rabbit: Awaited<ReturnType<typeof startRabbit>>;
let token$: TokenStream;

beforeAll(async () => {
  rabbit = await startRabbit();
}, 120_000);
afterAll(() => rabbit.stop());

beforeEach(() => {
  ends.clear();
  token$ = createTokenStream(newToken, { expiryMargin: 1500 });
});
afterEach(() => token$.close());

describe('amqplib', () => {
  let connection: ChannelModel;
  afterEach(() => connection.close());

  /** Publishes a message, and waits until the server has taken it. */
  const publisherOf = async () => {
    const channel = await connection.createConfirmChannel();
    const closed = new Promise<never>((_, fail) => channel.once('error', fail));
    closed.catch(() => undefined);
    const { queue } = await channel.assertQueue('', { exclusive: true });
    return () =>
      Promise.race([
        closed,
        new Promise<void>((done, fail) =>
          channel.sendToQueue(queue, Buffer.from('one'), {}, (error) => (error ? fail(error) : done())),
        ),
      ]);
  };

  it('update-secret gives each token to the open connection, which outlives them', async () => {
    connection = await connectWithToken(token$, { hostname: '127.0.0.1', port: rabbit.amqp });
    const publish = await publisherOf();
    const ended = new Set<string>();
    await throughThree(ended, async () => {
      for (const [value, end] of ends) if (Date.now() > end) ended.add(value);
      await publish();
    });
    await publish();
  });

  it('control: without it, RabbitMQ closes the channel at the first message after the end', async () => {
    const { access_token: password } = await newToken();
    connection = await connect({ hostname: '127.0.0.1', port: rabbit.amqp, username: '', password });
    const publish = await publisherOf();
    await expect(untilItFails(publish)).resolves.toMatchObject({
      code: 403,
      message: expect.stringContaining('expired'),
    });
  });
});

describe('STOMP', () => {
  let client: Client;
  afterEach(() => client.deactivate());

  /** The tokens of connections that the server accepted, what it said of others, and how many messages came. */
  const accepted = new Set<string>();
  const errors: string[] = [];
  let received = 0;
  const config: StompConfig = {
    webSocketFactory: () => new WebSocket(`ws://127.0.0.1:${rabbit.stomp}/ws`, ['v12.stomp']),
    connectHeaders: { login: '' },
    reconnectDelay: 200,
    onConnect: () => {
      accepted.add(String(client.connectHeaders.passcode));
      client.subscribe('/topic/orders', () => received++);
    },
    onStompError: ({ headers }) => errors.push(String(headers.message)),
  };
  const start = (started: Client) => {
    accepted.clear();
    [errors.length, received] = [0, 0];
    client = started;
    client.activate();
  };
  const publish = async () => {
    if (client.connected) client.publish({ destination: '/topic/orders', body: 'one' });
  };

  it('beforeConnect is asked at each connection', async () => {
    start(clientWithToken(token$, config));
    await throughThree(accepted, publish);
    const before = received;
    await until(() => {
      void publish();
      return received > before;
    });
    expect(errors).not.toContain('Bad CONNECT');
  });

  it('an attempt without a token is rejected, and the client tries again', async () => {
    const late = wait(3000);
    const late$ = createTokenStream(() => late.then(newToken), { maxWait: 1000 });
    start(clientWithToken(late$, config));
    await until(() => accepted.size === 1);
    expect(errors).toContain('Bad CONNECT');
    late$.close();
  });

  it('control: a fixed token is rejected after its end', async () => {
    const { access_token: passcode } = await newToken();
    start(new Client({ ...config, connectHeaders: { login: '', passcode } }));
    await until(() => {
      void publish();
      return errors.includes('Bad CONNECT');
    });
    expect(accepted.size).toBe(1);
  });
});
