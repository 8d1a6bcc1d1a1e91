import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { of } from 'rxjs';
import { createTokenStream } from 'rx-fresh-token';
import { createTokenProxy } from 'rx-fresh-token/proxy';
import { startUpstream, type Method } from './wire.js';

/**
 * One process of the bench: the upstream server, or one of the proxies before it. It tells its port, and its CPU time
 * when asked. Of the proxies of npm, fast-proxy was the fastest: http-proxy-3 took 1.2 to 1.3 times its CPU, http-proxy
 * 1.4 to 1.5 times.
 */

const PROXIES: Record<string, (target: string) => Promise<RequestListener>> = {
  'rx-fresh-token': (to) => {
    const response = { access_token: 'a-token-of-some-forty-characters-in-length', expires_in: 3600 };
    return Promise.resolve(
      createTokenProxy(
        createTokenStream(() => of(response), { initial: response }),
        { to },
      ),
    );
  },
  'fast-proxy': async (base) => {
    const { default: fastProxy } = await import('fast-proxy');
    const { proxy } = fastProxy({ base });
    return (request, response) => {
      proxy(request, response, request.url ?? '/', {});
    };
  },
};

const [name = '', method = 'GET', upstream = ''] = process.argv.slice(2);
const tell = (message: object) => process.send?.(message);
if (name === 'upstream') tell({ port: await startUpstream(method as Method) });
else {
  const listener = await PROXIES[name]?.(`http://127.0.0.1:${upstream}`);
  const server = createServer(listener).listen(0, '127.0.0.1', () =>
    tell({ port: (server.address() as AddressInfo).port }),
  );
}
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  tell({ cpu: (user + system) / 1000 });
});
process.on('disconnect', () => process.exit());
