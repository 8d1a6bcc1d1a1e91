import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isOwnPage } from '../demo/servers/isOwnPage.js';
import { UsageError } from '../demo/usageError.js';
import type { Hub } from './hub.js';
import type { FaultEvent } from './liveEvent.js';
import type { PageFile } from './pageFiles.js';

export interface PageServerOptions {
  /** 0: any that is free. */
  readonly port: number;
  readonly files: ReadonlyMap<string, PageFile>;
  readonly hub: Hub;
  readonly buttons: Readonly<Record<string, () => FaultEvent>>;
}

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** Serves the page, its events and its buttons, on loopback only. Resolves to the page's address. */
export async function servePage({
  port,
  files,
  hub,
  buttons,
}: PageServerOptions): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    if (isOwnPage(request)) serve(request, response);
    else response.writeHead(403).end();
  });

  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const file = files.get(path);
    if (request.method === 'POST') press(path, response);
    else if (path === '/events') hub.connect(response);
    else if (file === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': `${file.type}; charset=utf-8` }).end(file.content);
  };

  const press = (path: string, response: ServerResponse): void => {
    const [, name] = /^\/press\/(\w+)$/.exec(path) ?? [];
    const button = name !== undefined && Object.hasOwn(buttons, name) ? buttons[name] : undefined;
    if (button !== undefined) hub.publish(button());
    response.writeHead(button === undefined ? 404 : 204).end();
  };

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new UsageError(`port ${port} is taken: name another with --port, or 0 for any`)
          : error,
      ),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: given } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${given}/`,
    close: () => {
      hub.close();
      server.close();
      server.closeAllConnections();
    },
  };
}
