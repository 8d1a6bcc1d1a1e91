import { connect, createServer, type AddressInfo } from 'node:net';

/** Both ends of the bench speak HTTP in bytes that are always the same, so that the proxy is the slowest part. */

const RESPONSE = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n{"ok": "yes"}',
);
const BODY = JSON.stringify({ item: 'tea', amount: 2, note: 'x'.repeat(960) });

/** The marks at which a request and a response end. */
const REQUEST_END = { GET: '\r\n\r\n', POST: BODY.slice(-8) } as const;
const RESPONSE_END = '{"ok": "yes"}';

export type Method = keyof typeof REQUEST_END;

const requestOf = (method: Method): string =>
  [
    `${method} /orders HTTP/1.1`,
    'Host: 127.0.0.1',
    'Accept: application/json',
    'User-Agent: bench',
    ...(method === 'POST' ? ['Content-Type: application/json', `Content-Length: ${BODY.length}`] : []),
    '',
    method === 'POST' ? BODY : '',
  ].join('\r\n');

const countOf = (text: string, mark: string): number => text.split(mark).length - 1;

/** An upstream server. Resolves to its port. */
export async function startUpstream(method: Method): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    let rest = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      const text = rest + chunk.toString('latin1');
      for (let n = countOf(text, REQUEST_END[method]); n > 0; n--) socket.write(RESPONSE);
      rest = text.slice(-16).endsWith(REQUEST_END[method]) ? '' : text.slice(-16);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

export interface Load {
  /** Responses in a second. */
  readonly rate: number;
  /** Median of one request's time, in milliseconds. */
  readonly median: number;
}

/** As many requests as go through, over so many connections, one at a time on each. */
export async function load(port: number, method: Method, connections: number, ms: number): Promise<Load> {
  const request = requestOf(method);
  const times: number[] = [];
  const end = performance.now() + ms;
  const began = performance.now();
  await Promise.all(
    Array.from(
      { length: connections },
      () =>
        new Promise<void>((resolve, reject) => {
          const socket = connect({ port, host: '127.0.0.1', noDelay: true });
          let sent = 0;
          let text = '';
          const send = () => {
            sent = performance.now();
            text = '';
            socket.write(request);
          };
          socket
            .once('connect', send)
            .once('error', reject)
            .once('close', () => reject(new Error('the proxy closed a connection')));
          socket.on('data', (chunk: Buffer) => {
            text += chunk.toString('latin1');
            if (!text.includes(RESPONSE_END)) return;
            const now = performance.now();
            if (!text.startsWith('HTTP/1.1 200')) reject(new Error(text.slice(0, 200)));
            times.push(now - sent);
            if (now < end) send();
            else {
              socket.destroy();
              resolve();
            }
          });
        }),
    ),
  );
  const took = performance.now() - began;
  times.sort((a, b) => a - b);
  return { rate: (times.length * 1000) / took, median: times[times.length >> 1] ?? NaN };
}
