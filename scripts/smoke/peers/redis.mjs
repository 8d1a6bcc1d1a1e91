// Two streams share one token by redisTokenStore, on the client that is installed here: `redis` or `ioredis`.
import { equal } from 'node:assert/strict';
import { createRequire } from 'node:module';
import { firstValueFrom } from 'rxjs';
import { createTokenStream } from 'rx-fresh-token';
import { redisTokenStore } from 'rx-fresh-token/redis';
import { countingSource } from './servers.mjs';

const [name, url] = process.argv.slice(2);
const library = await import(name);

async function connect() {
  if (name === 'ioredis') {
    const client = new library.Redis(url);
    return { client, close: () => client.quit() };
  }
  const client = await library.createClient({ url }).connect();
  return { client, close: () => client.close() };
}

const tokens = countingSource();
const clients = await Promise.all([connect(), connect()]);
const encryptionKey = { id: '1', key: new Uint8Array(32).fill(7) };
const streams = clients.map(({ client }) =>
  createTokenStream(tokens.source, { store: redisTokenStore({ client, key: `orders:${process.pid}`, encryptionKey }) }),
);
const first = await firstValueFrom(streams[0]);
equal(first.value, 'T1');
equal((await firstValueFrom(streams[1])).value, 'T1');
streams[0].reject(first);
equal((await firstValueFrom(streams[0])).value, 'T2');
equal(tokens.asked(), 2);
for (const token$ of streams) token$.close();
for (const { close } of clients) await close();
console.log(createRequire(import.meta.url)(`${name}/package.json`).version);
