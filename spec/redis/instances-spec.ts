import { firstValueFrom, from, of } from 'rxjs';
import { accessToken } from '../../src/token/decisions/accessToken.js';
import type { AccessToken } from 'rx-fresh-token';
import { instances, KINDS } from './clients.js';
import { pause, percentile, until } from './fleet/fleet.js';

/** With `npm run soak` as many as the table says, and as quick; without, fewer, and any time will do. */
const SOAK = Boolean(process.env.SOAK);
const COUNT = SOAK ? 300 : 40;
const PUSHES = SOAK ? 50 : 10;
jest.setTimeout(120_000);

it.each(KINDS)('should deliver every push to every instance, in order, with %s', async (kind) => {
  const { all, key, dispose } = await instances(kind, COUNT + 1, {
    encryptionKey: { id: 'k', key: new Uint8Array(32) },
  });
  const heard: string[][] = [];
  const lags: number[] = [];
  const [leader, ...others] = all;
  const watching = others.map(({ store }, index) => {
    const mine: string[] = (heard[index] = []);
    return from(store.changes!).subscribe(({ response }) => {
      const [n, answeredAt] = response.access_token.split('-').map(Number);
      mine.push(response.access_token);
      // The first push finds cold code: three hundred times one after another here, each in its own process in a fleet.
      if (n! > 0) lags.push(performance.now() - answeredAt!);
    });
  });
  try {
    const subscribers = async () =>
      ((await leader!.command('PUBSUB', 'NUMSUB', `rx-fresh-token:{${key}}:push`)) as unknown[]).map(Number)[1];
    await until(async () => (await subscribers()) === COUNT);
    let previous: AccessToken | null = null;
    const said: string[] = [];
    for (let n = 0; n < PUSHES; n++) {
      // It is fetched at once: the lag counts from the answer of the token endpoint.
      const fetched = () => of({ access_token: `${String(n)}-${String(performance.now())}`, expires_in: 3600 });
      const { response } = await firstValueFrom(
        from(
          leader!.store.refresh(
            { reason: previous ? 'scheduled' : 'initial', attempt: 1, previous, signal: new AbortController().signal },
            fetched,
          ),
        ),
      );
      previous = accessToken(response, 0, 3_600_000);
      said.push(response.access_token);
      await pause(100);
    }
    await until(() => heard.every((mine) => mine.length >= PUSHES));
    for (const mine of heard) expect(mine).toEqual(said);
    const p99 = percentile(lags, 0.99);
    console.info(
      `${kind}: ${String(COUNT)} instances, push lag p50 ${percentile(lags, 0.5).toFixed(1)} p99 ${p99.toFixed(1)} ms`,
    );
    expect(p99).toBeLessThanOrEqual(SOAK ? 100 : 5000);
  } finally {
    watching.forEach((one) => {
      one.unsubscribe();
    });
    dispose();
  }
});
