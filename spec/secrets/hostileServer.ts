import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { canaries } from './canaries.js';

const { token: access_token, refreshToken: refresh_token } = canaries;
const granted = { access_token, refresh_token, token_type: 'Bearer', expires_in: 60, id_token: access_token };

type Manner = (request: IncomingMessage, body: string, response: ServerResponse) => void;

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Manner =>
  (_request, _body, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };

/** All that was sent, in whatever field somebody might print. */
const mirror =
  (status: number, type: string): Manner =>
  ({ headers, url }, body, response) => {
    const all = `${url ?? ''} ${body} ${headers.authorization ?? ''} ${JSON.stringify(headers)}`;
    const answer = type.includes('json')
      ? JSON.stringify({ error: 'invalid_grant', error_description: all, error_uri: all, detail: all })
      : all;
    response.writeHead(status, { 'content-type': type, 'x-echo': encodeURIComponent(body) }).end(answer);
  };

/** How a token endpoint may treat those who ask: well, or so that secrets are all around. */
export const manners: Readonly<Record<string, Manner>> = {
  grants: json(200, granted),
  'grants DPoP': json(200, { ...granted, token_type: 'DPoP' }),
  'grants a moment': json(200, { ...granted, expires_in: 1 }),
  'grants what no header can carry': json(200, { ...granted, access_token: `${access_token}\r\n` }),
  'grants with a wrong type': json(200, { ...granted, token_type: `Bearer ${access_token}` }),
  'grants no life': json(200, { ...granted, expires_in: access_token }),
  'names the token otherwise': json(200, { token: access_token, refresh_token }),
  'mirrors as an OAuth error': mirror(400, 'application/json'),
  'mirrors in the place of a code': (_request, body, response) => {
    response
      .writeHead(400, { 'content-type': 'application/json' })
      .end(JSON.stringify({ error: `no such refresh token ${body}`, code: body, errors: [{ code: body }] }));
  },
  'mirrors with 200': mirror(200, 'application/json'),
  'mirrors as a challenge': (request, body, response) => {
    response
      .writeHead(401, {
        'www-authenticate': `Bearer error="invalid_client", error_description="${encodeURIComponent(body)} ${request.headers.authorization ?? ''}"`,
      })
      .end();
  },
  'mirrors as a page': mirror(500, 'text/html'),
  'mirrors as text': mirror(200, 'text/plain'),
  'is down': json(503, { error: 'temporarily_unavailable', error_description: 'come again' }, { 'retry-after': '1' }),
  'redirects with everything in the query': (_request, body, response) => {
    response.writeHead(302, { location: `/elsewhere?${body}` }).end();
  },
  'cuts the connection': (_request, _body, response) => {
    response.socket?.resetAndDestroy();
  },
  'cuts the answer': (_request, _body, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write(JSON.stringify(granted).slice(0, 60));
    setTimeout(() => response.destroy(), 5);
  },
};

export interface HostileServer {
  readonly origin: string;
  /** `/token?…` of a server that treats those who ask so. */
  tokenUrl(manner: string): string;
  close(): void;
}

/** Token endpoints of all manners, and an API that refuses, mirrors and redirects. */
export async function startHostileServer(): Promise<HostileServer> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://localhost');
    const [, kind = '', detail = ''] = pathname.split('/').map(decodeURIComponent);
    void text(request).then(
      (body) => {
        if (kind === 'token') manners[detail]!(request, body, response);
        else if (kind === 'ok') response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
        else if (kind === 'away') response.writeHead(307, { location: `http://localhost:1/?${canaries.query}` }).end();
        else if (/^\d+$/.test(kind)) mirror(Number(kind), 'application/json')(request, body, response);
        else response.writeHead(404).end();
      },
      () => undefined,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    origin,
    tokenUrl: (manner) => `${origin}/token/${encodeURIComponent(manner)}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
