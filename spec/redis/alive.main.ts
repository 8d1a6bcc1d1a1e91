// Run by alive-spec.ts in a process of its own: says what it sees, and ends by itself once the client is closed,
// although the stream is not.
import { of } from 'rxjs';
import { createTokenStream, withToken } from 'rx-fresh-token';
import { redisTokenStore } from 'rx-fresh-token/redis';
import { connect, type Kind } from './clients.js';

const [, , kind, url] = process.argv as [string, string, Kind, string];
const start = performance.now();
const { client, close } = await connect(kind, url);
const token$ = createTokenStream(() => of({ access_token: 'T1', expires_in: 3600 }), {
  store: redisTokenStore({ client, key: 'alive' }),
});
withToken(token$, ({ value }) => of(value)).subscribe((value) => {
  process.stdout.write(`${value} `);
  // The subscriber has connected meanwhile.
  setTimeout(close, 500);
});
process.on('exit', () => process.stdout.write(performance.now() - start < 15_000 ? 'ended' : 'ended late'));
