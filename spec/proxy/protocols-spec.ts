import { connect, createServer as createHttp2Server } from 'node:http2';
import { atEnd, listen, send, setUp, Wire } from './support.js';

it('should pass a chunked body on without its trailers, in both directions', async () => {
  const trailers: unknown[] = [];
  const { port } = await setUp({
    answer: (request, response, body) => {
      trailers.push(request.headers.trailer, request.trailers);
      response.writeHead(200, { trailer: 'x-sum' });
      response.write(body);
      response.addTrailers({ 'x-sum': '7' });
      response.end();
    },
  });
  const head = ['POST /orders HTTP/1.1', 'Host: localhost', 'Transfer-Encoding: chunked', 'Trailer: X-Sum'];
  const wire = new Wire(port, ...head, 'Connection: close').write('3\r\ntea\r\n0\r\nX-Sum: 7\r\n\r\n');
  const answer = await wire.end();
  expect(answer).toMatch(/\r\n\r\n3\r\ntea\r\n0\r\n\r\n$/);
  expect(answer).not.toMatch(/x-sum/i);
  expect(trailers).toEqual([undefined, {}]);
});

it('should answer 502 for a server that speaks HTTP/2 only', async () => {
  const server = createHttp2Server();
  const { port, seen } = await setUp({ to: `http://127.0.0.1:${await listen(server)}` });
  expect([(await send(port)).status, seen.length]).toEqual([502, 0]);
});

it('should end the connection of a client that speaks HTTP/2 from the start, and send nothing', async () => {
  const { port, seen, fetched } = await setUp();
  const client = connect(`http://127.0.0.1:${port}`);
  atEnd(() => client.destroy());
  const ended = await new Promise((resolve) => {
    client.on('error', resolve);
    client.request({ ':path': '/orders' }).on('error', () => undefined);
  });
  expect(ended).toMatchObject({ code: expect.stringMatching(/^ERR_HTTP2/) as string });
  expect([seen.length, fetched()]).toEqual([0, 0]);
});
