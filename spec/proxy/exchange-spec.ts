import { createServer, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { Exchange } from '../../src/proxy/traffic/exchange.js';
import { atEnd, listen } from './support.js';

/** Requests to a server that reads nothing. */
async function requestsTo() {
  const port = await listen(createServer(() => undefined));
  return (): ClientRequest => {
    const sending = httpRequest({ port, host: '127.0.0.1', method: 'POST', agent: false });
    sending.on('error', () => undefined);
    atEnd(() => sending.destroy());
    return sending;
  };
}

it('should break off a repeat of which a part is lost, and send nothing of it', async () => {
  const send = await requestsTo();
  const incoming = new PassThrough();
  const exchange = new Exchange({
    incoming: incoming as unknown as IncomingMessage,
    method: 'POST',
    path: '/orders',
    headers: [],
    hasBody: true,
    repeatLimit: 3,
  });
  exchange.sendBody(send());
  incoming.write('four');
  await new Promise(setImmediate);
  const repeat = send();
  const failed = new Promise<Error>((resolve) => repeat.once('error', resolve));
  exchange.sendBody(repeat);
  expect((await failed).message).toBe('a part of the body is lost');
  expect(repeat.headersSent).toBe(false);
});
