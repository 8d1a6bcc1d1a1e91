import { Worker } from 'node:worker_threads';
import { Authority } from './authority.mjs';
import { bodyOf, listen, reply } from './listen.mjs';

/**
 * POST /authorities with options starts an authorization server and answers its id and issuer;
 * POST /authorities/:id/:method calls a method of it. oidc-provider is loaded with the first one, so that other specs do
 * not pay for it.
 */
export async function startControl() {
  const authorities = new Map();
  const start = async (options) => {
    const authority = options.clockOffset ? await remoteAuthority(options) : await Authority.start(options);
    authorities.set(String(authorities.size), authority);
    return { id: String(authorities.size - 1), issuer: authority.issuer, clientKey: authority.clientKey };
  };
  const server = await listen(async (request, response) => {
    try {
      const [, , id, method] = request.url.split('/');
      const body = await bodyOf(request);
      const result = id === undefined ? await start(body) : await authorities.get(id)[method](body);
      reply(response, 200, result ?? {});
    } catch (error) {
      reply(response, 500, { message: String(error), stack: error?.stack });
    }
  });
  return {
    url: `http://127.0.0.1:${server.port}/authorities`,
    async stop() {
      await Promise.all([...authorities.values()].map((authority) => authority.stop()));
      await server.stop();
    },
  };
}

/** A thread has a Date of its own, so its clock can be wrong. */
async function remoteAuthority(options) {
  const worker = new Worker(new URL('clockWorker.mjs', import.meta.url), { workerData: options });
  const described = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  return { ...described, stop: () => worker.terminate() };
}
