import { createClient } from 'redis';
import { timer, map } from 'rxjs';
import { createTokenStream, type TokenSource } from 'rx-fresh-token';
import { redisTokenStore } from 'rx-fresh-token/redis';
import { startRedis } from '../spec/setup/redis/server.cjs';

const SIZE = 8;
const SECONDS = 10;
const LEAD = 200;

/** Tokens of one second for eight streams, each with connections of its own, with a store and without. */
export async function fleet(): Promise<void> {
  const server = await startRedis();
  const run = async (sharing: boolean) => {
    let fetched = 0;
    const lags: number[] = [];
    // A token tells when it was issued.
    const source: TokenSource = () =>
      timer(20).pipe(map(() => ({ access_token: `${String(++fetched)}-${String(performance.now())}`, expires_in: 1 })));
    const ends = await Promise.all(
      Array.from({ length: SIZE }, async () => {
        const client = createClient({ url: server.url });
        client.on('error', () => undefined);
        await client.connect();
        const token$ = createTokenStream(source, {
          refreshBefore: LEAD,
          ...(sharing && { store: redisTokenStore({ client, key: 'bench' }) }),
        });
        token$.events.subscribe((event) => {
          if (event.type === 'tokenChanged' && event.origin === 'shared')
            lags.push(performance.now() - Number(event.token.value.split('-')[1]));
        });
        token$.subscribe();
        return () => {
          token$.close();
          client.destroy();
        };
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
    ends.forEach((end) => {
      end();
    });
    return { fetched, lags: lags.sort((a, b) => a - b) };
  };
  const alone = await run(false);
  const { fetched, lags } = await run(true);
  await server.stop();
  const at = (share: number) => (lags[Math.max(0, Math.ceil(share * lags.length) - 1)] ?? NaN).toFixed(1);
  const ideal = Math.ceil(SECONDS / (1 - LEAD / 1000));
  console.log(
    `${String(SIZE)} streams, 1 s tokens, ${String(SECONDS)} s   ${String(fetched)} fetches with sharing, ${String(alone.fetched)} without  (ideal ${String(ideal)}, promise: ideal + 2); push lag p50 ${at(0.5)} ms, p99 ${at(0.99)} ms  (promise: 100)`,
  );
}
