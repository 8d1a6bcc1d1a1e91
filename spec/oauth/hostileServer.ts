import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** What a hostile server does once it has read a request; it writes the answer byte by byte. */
export type Misdeed = (socket: Socket) => void;

/** No error may show it: hostile bodies, headers and URLs are full of it. */
export const LEAK = 'leak-7f3a9c21';

export interface HostileServer {
  readonly origin: string;
  /** What the requests that arrived had in them. */
  readonly requests: readonly string[];
  stop(): Promise<void>;
}

/** Answers each request with what `misdeed` does. */
export async function hostileServer(misdeed: Misdeed): Promise<HostileServer> {
  const sockets = new Set<Socket>();
  const requests: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    let request = '';
    socket.on('data', (chunk) => {
      request += chunk.toString('latin1');
      if (!isComplete(request)) return;
      requests.push(request);
      request = '';
      misdeed(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function isComplete(request: string): boolean {
  const end = request.indexOf('\r\n\r\n');
  const length = Number(/content-length: (\d+)/i.exec(request)?.[1] ?? 0);
  return end >= 0 && request.length - end - 4 >= length;
}

type Headers = Readonly<Record<string, string | undefined>>;

/** One whole answer. A header that is undefined is left out. */
export function answer(body: string | Buffer, headers: Headers = {}, status = '200 OK'): Misdeed {
  const bytes = Buffer.from(body);
  const all: Headers = {
    'content-type': 'application/json',
    'content-length': String(bytes.length),
    'x-trace': LEAK,
    ...headers,
  };
  return (socket) => {
    socket.write(
      `HTTP/1.1 ${status}\r\n${Object.entries(all)
        .map(([name, value]) => (value === undefined ? '' : `${name}: ${value}\r\n`))
        .join('')}\r\n`,
    );
    socket.write(bytes);
  };
}

/** The same bytes again and again, until nobody reads any more. */
export function endless(bytes: string, headers: string): Misdeed {
  return (socket) => {
    const chunk = Buffer.from(bytes.repeat(Math.ceil(65_536 / bytes.length)));
    socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${headers}\r\n`);
    const pour = () => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', pour);
    pour();
  };
}
