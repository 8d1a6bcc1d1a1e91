import { createServer, globalAgent, request as httpRequest } from 'node:http';
import { globalAgent as httpsGlobalAgent } from 'node:https';
import { connect } from 'node:net';
import { ownAgent } from '../../src/proxy/traffic/agent.js';
import { fieldsByName, fieldsIn } from '../../src/proxy/rules/headers.js';
import { listen, send, setUp } from './support.js';

interface WithProxyEnv {
  readonly options: { proxyEnv?: object | null | undefined };
}
const agents = [globalAgent, httpsGlobalAgent] as unknown as WithProxyEnv[];
/** Node has it since 22.21 and 24.5. */
const hasProxyEnv = agents.every(({ options }) => 'proxyEnv' in options);

/** As Node starts with `NODE_USE_ENV_PROXY=1`. */
function startWith(proxyEnv: object): void {
  for (const { options } of agents) options.proxyEnv = proxyEnv;
}
afterEach(() => {
  for (const { options } of agents)
    if (hasProxyEnv) options.proxyEnv = undefined;
    else delete options.proxyEnv;
});

const proxyEnvFor = (to: string) => (ownAgent(new URL(to)) as unknown as WithProxyEnv).options.proxyEnv;

describe("the proxy's own agent", () => {
  it.each(['https://api.example.com', 'http://api.example.com'])('should go by the environment to %s', (to) => {
    const env = { HTTPS_PROXY: 'http://proxy.example.com' };
    startWith(env);
    expect(proxyEnvFor(to)).toBe(env);
  });

  it.each(['http://127.0.0.1:8080', 'http://localhost', 'https://[::1]'])('should go straight to %s', (to) => {
    startWith({ HTTP_PROXY: 'http://proxy.example.com' });
    expect(proxyEnvFor(to)).toBeNull();
  });

  it('should go by no environment if the process does not', () => {
    expect(proxyEnvFor('https://api.example.com')).toBeNull();
  });
});

it('should group fields by their names, in the first spelling, for a request by URL', () => {
  const fields = fieldsIn(['Host', 'api.test', 'X-Tag', 'a', 'Accept', '*/*', 'x-tag', 'b', 'X-TAG', 'c']);
  expect(fieldsByName(fields)).toEqual({ Host: 'api.test', 'X-Tag': ['a', 'b', 'c'], Accept: '*/*' });
});

/** The only way out: it alone knows where `api.test` is. */
async function wayOut() {
  const asked: unknown[] = [];
  const server = createServer();
  let to = 0;
  server.on('request', (incoming, response) => {
    asked.push(incoming.url);
    const { pathname } = new URL(incoming.url ?? '');
    const { method, headers } = incoming;
    const passed = httpRequest({ host: '127.0.0.1', port: to, method, path: pathname, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(passed);
  });
  server.on('connect', ({ url, headers }, socket) => {
    asked.push(url, headers['proxy-authorization']);
    const back = connect(to, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    back.pipe(socket).pipe(back);
  });
  const port = await listen(server);
  return { asked, port, leadTo: (upstream: number) => (to = upstream) };
}

describe('behind a proxy of the network', () => {
  it('should reach a server on this machine without it', async () => {
    const { asked, port: out } = await wayOut();
    startWith({ HTTP_PROXY: `http://127.0.0.1:${out}` });
    const { port } = await setUp();
    expect([(await send(port)).status, asked]).toEqual([200, []]);
  });

  if (!hasProxyEnv) {
    it('should not use the proxy where Node cannot', async () => {
      const { asked, port: out } = await wayOut();
      startWith({ HTTP_PROXY: `http://127.0.0.1:${out}` });
      const { port } = await setUp({ to: 'http://api.test/v1', allowInsecureRequests: true });
      expect([(await send(port)).status, asked]).toEqual([502, []]);
    });
    return;
  }

  it('should reach the server by it, with the token', async () => {
    const { asked, port: out, leadTo } = await wayOut();
    startWith({ HTTP_PROXY: `http://127.0.0.1:${out}` });
    const { port, seen, upstream } = await setUp({ to: 'http://api.test/v1', allowInsecureRequests: true });
    leadTo((upstream.address() as { port: number }).port);
    for (const body of ['tea', 'milk']) {
      const reply = await send(port, { method: 'POST', body, headers: { 'X-Tag': ['a', 'b', 'c'] } });
      expect([reply.status, reply.body]).toEqual([200, 'ok']);
    }
    expect(seen.map(({ body, headers }) => [body, headers.authorization, headers.host, headers['x-tag']])).toEqual([
      ['tea', 'Bearer a', 'api.test', 'a, b, c'],
      ['milk', 'Bearer a', 'api.test', 'a, b, c'],
    ]);
    expect(asked).toEqual(['http://api.test/v1/orders', 'http://api.test/v1/orders']);
  });

  it('should ask it for a tunnel to an https: server', async () => {
    const { asked, port: out, leadTo } = await wayOut();
    startWith({ HTTPS_PROXY: `http://user:pass@127.0.0.1:${out}` });
    const { port, upstream } = await setUp({ to: 'https://api.test' });
    leadTo((upstream.address() as { port: number }).port);
    // What it leads to does not speak TLS.
    expect((await send(port)).status).toBe(502);
    expect(asked).toEqual(['api.test:443', `Basic ${btoa('user:pass')}`]);
  });
});
