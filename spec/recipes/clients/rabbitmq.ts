import { generateKeyPairSync, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, listens, startServer, temporaryFolder } from './servers.js';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const everything = ['configure', 'read', 'write'].flatMap((may) => [`rabbitmq.${may}:*/*`, `rabbitmq.${may}:*/*/*`]);

/** The end of each token that was issued, in milliseconds. */
export const ends = new Map<string, number>();

/** A JWT for RabbitMQ, as the source of a token stream returns it. Its end is named in whole seconds. */
export async function newToken(): Promise<{ access_token: string; expires_in: number }> {
  const now = Date.now() / 1000;
  const exp = Math.floor(now) + 5;
  const parts = [
    { alg: 'RS256', kid: 'spec', typ: 'JWT' },
    { aud: ['rabbitmq'], scope: everything, sub: 'orders', jti: String(ends.size), exp },
  ];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const access_token = `${signed}.${sign('RSA-SHA256', Buffer.from(signed), privateKey).toString('base64url')}`;
  ends.set(access_token, exp * 1000);
  return { access_token, expires_in: exp - now };
}

/** A RabbitMQ of its own, with the plugins for OAuth 2 and for STOMP over WebSocket. */
export async function startRabbit() {
  const folder = temporaryFolder();
  const [amqp, stomp, names, nodes] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const key = file('key.pem', publicKey.export({ type: 'spki', format: 'pem' }).toString());
  const settings = {
    'listeners.tcp.spec': `127.0.0.1:${amqp}`,
    'stomp.listeners.tcp': 'none',
    'web_stomp.tcp.ip': '127.0.0.1',
    'web_stomp.tcp.port': stomp,
    'auth_backends.1': 'rabbit_auth_backend_oauth2',
    'auth_oauth2.resource_server_id': 'rabbitmq',
    'auth_oauth2.default_key': 'spec',
    'auth_oauth2.signing_keys.spec': key,
    'log.console': 'true',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`);
  const env = {
    ...process.env,
    HOME: folder,
    ERL_EPMD_PORT: String(names),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: 'spec@localhost',
    RABBITMQ_DIST_PORT: String(nodes),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_CONFIG_FILE: file('rabbitmq.conf', lines.join('')),
    // A channel forgets each minute what its token allows. Here it does so at once.
    RABBITMQ_ADVANCED_CONFIG_FILE: file('advanced.config', '[{rabbit,[{channel_tick_interval,100}]}].'),
    RABBITMQ_ENABLED_PLUGINS_FILE: file('plugins', '[rabbitmq_auth_backend_oauth2,rabbitmq_web_stomp].'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-start_epmd false',
    // Without both, a shell stands between, and the server outlives it.
    RABBITMQ_ALLOW_INPUT: '1',
    RABBITMQ_SERVER_START_ARGS: '-noinput',
  };
  const stopNames = await startServer('epmd', ['-port', String(names), '-address', '127.0.0.1'], {
    port: names,
    folder,
  });
  const isReady = async () => (await listens(amqp)) && (await listens(stomp));
  const stopServer = await startServer('/usr/lib/rabbitmq/bin/rabbitmq-server', [], {
    port: amqp,
    folder,
    env,
    isReady,
  });
  return { amqp, stomp, stop: () => Promise.all([stopServer(), stopNames()]) };
}
