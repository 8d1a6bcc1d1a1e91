import { readFile } from 'node:fs/promises';
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { isOwnPage } from '../demo/servers/isOwnPage.js';
import { startServers } from '../demo/servers/servers.js';

const CLIENT = 'desk';
const OUTAGE = 5000;
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

/** What went over the wire, by this server's own count. */
export interface DeskCounts {
  /** Answers of the API by status. */
  readonly answers: Record<number, number>;
  /** Different tokens that came with orders. */
  readonly tokens: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly issued: number;
}

/**
 * Serves the built order desk, and stands between it and the servers of the main job: the browser has neither the
 * client's secret nor another origin. Its buttons spoil things: a revoked token is refused from then on, a broken
 * endpoint is for 5 s.
 */
export async function startDesk(
  folder: string,
  { port = 0, tokenLifetime = 5 }: { port?: number; tokenLifetime?: number } = {},
) {
  const servers = await startServers({ clients: [CLIENT], tokenLifetime, latency: { token: 200, api: 25 } });
  const { tokenEndpoint, clientId, clientSecret, scope, url: orders } = servers.settingsOf(CLIENT);
  const revoked = new Set<string>();
  const seen = new Set<string>();
  const answers: Record<number, number> = {};
  let newest = '';
  let brokenUntil = 0;

  const reply = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

  async function token(response: ServerResponse): Promise<void> {
    if (Date.now() < brokenUntil) {
      reply(response, 503, { error: 'temporarily_unavailable' });
      return;
    }
    const credentials = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
    const answer = await fetch(tokenEndpoint, {
      method: 'POST',
      headers: { authorization: `Basic ${credentials}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: scope ?? '' }),
    });
    const body = (await answer.json()) as { access_token: string };
    newest = body.access_token;
    reply(response, answer.status, body, { 'cache-control': 'no-store' });
  }

  async function order(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const { authorization = '' } = request.headers;
    seen.add(authorization);
    const count = (status = 0) => (answers[status] = (answers[status] ?? 0) + 1);
    if (revoked.has(authorization)) {
      count(401);
      reply(response, 401, {}, { 'www-authenticate': 'Bearer error="invalid_token"' });
      return;
    }
    const forwarded = send(orders, { method: 'POST', headers: { ...request.headers, host: orders.host } }, (answer) => {
      count(answer.statusCode);
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    forwarded.once('error', () => response.destroy());
    forwarded.end(body);
  }

  async function file(path: string, response: ServerResponse): Promise<void> {
    const name = path === '/' ? 'index.html' : normalize(path).replace(/^[/\\.]+/, '');
    try {
      const content = await readFile(join(folder, name));
      response.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream' }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const { pathname } = new URL(request.url ?? '/', 'http://desk');
    switch (`${request.method ?? ''} ${pathname}`) {
      case 'POST /session/token':
        return token(response);
      case 'POST /api/orders':
        return order(request, response);
      case 'POST /control/revoke':
        revoked.add(`Bearer ${newest}`);
        return reply(response, 200, null);
      case 'POST /control/break':
        brokenUntil = Date.now() + OUTAGE;
        // Answered when it is over, so that the button knows.
        return setTimeout(() => reply(response, 200, null), OUTAGE);
      case 'GET /control/counts': {
        const { stored, duplicates } = servers.countsOf(CLIENT);
        return reply(response, 200, {
          answers,
          tokens: seen.size,
          stored,
          duplicates,
          issued: servers.tokensIssuedTo(CLIENT),
        } satisfies DeskCounts);
      }
      default:
        return file(pathname, response);
    }
  }

  const server = createServer((request, response) => {
    if (isOwnPage(request)) handle(request, response).catch(() => response.destroy());
    else response.writeHead(403).end();
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    close: () => {
      server.close();
      server.closeAllConnections();
      servers.close();
    },
  };
}
