import { Kafka, logLevel, type SASLOptions } from 'kafkajs';
// The part of kafkajs that calls the function, and makes the message that a broker gets.
import authenticator from 'kafkajs/src/broker/saslAuthenticator/oauthBearer.js';
import { saslWithToken } from './kafkajs.recipe.js';
import { Api, untilItFails } from './support.js';

let api: Api;
beforeEach(() => {
  api = new Api();
});
afterEach(() => api.close());

/**
 * Authenticates as kafkajs does when it connects, and again on an open connection. There is no broker: the spec judges
 * the message.
 */
function authenticate(sasl: SASLOptions): Promise<void> {
  const logger = { debug: () => undefined, error: () => undefined };
  const saslAuthenticate = async ({ request }: { request: { encode: () => Promise<Buffer> } }) => {
    const [, value] = /auth=Bearer ([^\x01]*)\x01\x01$/.exec(String(await request.encode())) ?? [];
    if (!api.admit(value)) throw new Error('invalid_token');
  };
  return authenticator(sasl)({ host: 'localhost', port: 9092, logger, saslAuthenticate }).authenticate();
}

it('the function is asked each time that kafkajs authenticates', async () => {
  const sasl = saslWithToken(api.token$);
  expect(new Kafka({ brokers: ['localhost:9092'], ssl: true, sasl, logLevel: logLevel.NOTHING })).toBeDefined();
  await api.throughThreeTokens(() => authenticate(sasl));
  expect(api.rejected).toBe(0);
  const rejected = api.revoke();
  await expect(authenticate(sasl)).rejects.toThrow('invalid_token');
  api.token$.reject(rejected);
  await authenticate(sasl);
  expect(api.expired).toBe(0);
});

it('control: a fixed token is rejected after its end', async () => {
  const value = await api.take();
  const sasl: SASLOptions = { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value }) };
  await expect(untilItFails(() => authenticate(sasl))).resolves.toMatchObject({
    name: 'KafkaJSSASLAuthenticationError',
  });
  expect([api.accepted.size, api.expired]).toEqual([1, 1]);
});
