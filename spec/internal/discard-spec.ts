import { createServer, Agent, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { firstValueFrom, timeout } from 'rxjs';
import { withToken, type AccessToken } from 'rx-fresh-token';
import { discard } from '../../src/internal/platform/discard.js';
import { openStream } from '../guarantees/rig.js';

describe('16: the connection of a rejected response is freed', () => {
  it.each([
    ['a Response', { body: { cancel: jest.fn(() => Promise.reject(new Error('no'))) } }],
    ['a response of node-fetch', { body: { resume: jest.fn() } }],
    ["Node's IncomingMessage", { resume: jest.fn() }],
  ])('%s', (_, answer) => {
    discard(answer as unknown as Response);
    const [free] = Object.values('body' in answer ? answer.body : answer);
    expect(free).toHaveBeenCalledTimes(1);
  });

  it.each([[undefined], [{}], [{ body: null }], [{ body: 'text' }], [{ body: { cancel: true, resume: 1 } }]])(
    'not: %j',
    (answer) => {
      expect(() => discard(answer as unknown as Response)).not.toThrow();
    },
  );

  it("where Node's own client has one connection", async () => {
    const server = createServer((request, response) => {
      const isAccepted = request.headers.authorization === 'Bearer T2';
      response.writeHead(isAccepted ? 200 : 401);
      response.end('x'.repeat(1_000_000));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let issued = 0;
    const token$ = openStream(() => [{ access_token: `T${String(++issued)}`, expires_in: 60 }]);
    const send = (token: AccessToken) =>
      new Promise<IncomingMessage>((resolve, reject) => {
        const headers = { authorization: `${token.type} ${token.value}` };
        get({ host: '127.0.0.1', port, agent, headers }, resolve).on('error', reject);
      });
    const response = await firstValueFrom(withToken(token$, send).pipe(timeout(5000)));
    response.resume();
    await once(response, 'end');
    agent.destroy();
    server.close();
    expect(response.statusCode).toBe(200);
  });
});
