// One token for a fleet of processes: one of them fetches, all use it.
//   TOKEN_URL=… API=… REDIS_URL=redis://localhost:6379 node --import ./scripts/dist.mjs examples/minimal/redis.ts
import { createClient } from 'redis';
import { firstValueFrom } from 'rxjs';
import { createHttpClient, createTokenStream } from 'rx-fresh-token';
import { redisTokenStore } from 'rx-fresh-token/redis';

const { TOKEN_URL = '', API = '', REDIS_URL = '' } = process.env;

const client = createClient({ url: REDIS_URL });
client.on('error', (error: Error) => console.error(error.message));
client.connect().catch(() => undefined); // not awaited: it stays pending while Redis is down

const store = redisTokenStore({ client, key: 'orders-api' });
const token$ = createTokenStream(({ signal }) => fetch(TOKEN_URL, { method: 'POST', signal }), { store });
const http = createHttpClient(token$, { baseUrl: new URL(API).origin });

console.log(await firstValueFrom(http.get(API)));
token$.close();
await client.close();
