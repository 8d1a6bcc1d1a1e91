import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LoopbackServer {
  readonly origin: string;
  /** The listener is set afterwards, because an authorization server must know its own address first. */
  handle(listener: RequestListener): void;
  close(): void;
}

/** A server on a free port of loopback. */
export async function listen(): Promise<LoopbackServer> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    handle: (listener) => void server.on('request', listener),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
