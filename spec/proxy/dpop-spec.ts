import { createHash, randomBytes } from 'node:crypto';
import { decodeProtectedHeader, EmbeddedJWK, jwtVerify } from 'jose';
import { clientCredentials } from 'rx-fresh-token/oauth';
import { fakeEndpoint } from '../oauth/fakeEndpoint.js';
import { send, setUp, until, Wire, type Answer, type Seen } from './support.js';

/** Tokens T1, T2 … that are bound to the key of the source. */
function boundSource() {
  let fetched = 0;
  const endpoint = fakeEndpoint(() => ({ access_token: `T${++fetched}`, token_type: 'DPoP', expires_in: 3600 }));
  const tokenEndpoint = 'https://id.example/token';
  return clientCredentials({ tokenEndpoint, clientId: 'me', clientSecret: 's', dpop: true, fetch: endpoint.fetch });
}

/** What the proof of a request says, after its signature was checked (RFC 9449 section 4.3). */
async function proofOf({ headers }: Pick<Seen, 'headers'>) {
  const proof = String(headers.dpop);
  const { payload } = await jwtVerify<{ ath: string; nonce?: string }>(proof, EmbeddedJWK, { typ: 'dpop+jwt' });
  return { ...payload, ath: payload.ath, nonce: payload.nonce, alg: decodeProtectedHeader(proof).alg };
}

const hash = (token: string) => createHash('sha256').update(token).digest('base64url');

describe('a token that is bound to a key', () => {
  it('should go with a proof of its own in each request, for the URL at the server and not at the proxy', async () => {
    const { port, seen, upstream } = await setUp({ source: boundSource(), path: '/v1' });
    const { port: own } = upstream.address() as { port: number };
    await send(port, { path: '/orders?item=tea' });
    await send(port, { path: '/orders', method: 'POST', body: 'tea' });
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(['DPoP T1', 'DPoP T1']);
    const proofs = await Promise.all(seen.map(proofOf));
    expect(proofs).toMatchObject([
      { htm: 'GET', htu: `http://127.0.0.1:${own}/v1/orders`, ath: hash('T1'), alg: 'ES256' },
      { htm: 'POST', htu: `http://127.0.0.1:${own}/v1/orders`, ath: hash('T1') },
    ]);
    expect(proofs[0]?.jti).not.toBe(proofs[1]?.jti);
  });

  it('should be proven anew, for the next token, when the request is repeated after a refusal', async () => {
    const answer: Answer = ({ headers }, response) =>
      response.writeHead(headers.authorization === 'DPoP T1' ? 401 : 200).end();
    const { port, seen } = await setUp({ source: boundSource(), answer });
    expect((await send(port, { method: 'POST', body: 'tea' })).status).toBe(200);
    expect((await Promise.all(seen.map(proofOf))).map(({ ath }) => ath)).toEqual([hash('T1'), hash('T2')]);
  });

  it('should be sent again with the nonce that the server wants, without a refresh', async () => {
    const nonce = randomBytes(8).toString('hex');
    const wants: Answer = (request, response) => {
      void proofOf(request).then((proof) => {
        if (proof.nonce === nonce) response.end('ok');
        else response.writeHead(401, { 'dpop-nonce': nonce, 'www-authenticate': 'DPoP error="use_dpop_nonce"' }).end();
      });
    };
    const { port, seen, log } = await setUp({ source: boundSource(), answer: wants });
    const reply = await send(port, { method: 'POST', body: 'tea' });
    expect([reply.status, seen.map(({ body }) => body)]).toEqual([200, ['tea', 'tea']]);
    await until(() => log.length === 1);
    expect(log[0]).toMatchObject({ status: 200, sent: 2 });
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(['DPoP T1', 'DPoP T1']);
  });

  it('should be proven in the request for a WebSocket', async () => {
    const { port, upstream } = await setUp({ source: boundSource() });
    const upgrades: Pick<Seen, 'headers'>[] = [];
    upstream.on('upgrade', (request, socket) => {
      upgrades.push(request);
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    });
    const lines = ['Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
    const key = `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`;
    await new Wire(port, 'GET /live HTTP/1.1', ...lines, key).until(/101 Switching/);
    expect(await proofOf(upgrades[0]!)).toMatchObject({ htm: 'GET', ath: hash('T1') });
  });
});

it.each([
  ['of a bound token', boundSource, 1],
  ['of a Bearer token', undefined, 0],
])('should drop a proof that the client brings beside a request %s', async (_name, source, proofs) => {
  const { port, seen } = await setUp({ source: source?.() });
  expect((await send(port, { headers: { DPoP: 'mine' } })).status).toBe(200);
  const sent = seen[0]!.rawHeaders.filter((_each, i, raw) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === 'dpop');
  expect(sent).toHaveLength(proofs);
  expect(sent).not.toContain('mine');
});
