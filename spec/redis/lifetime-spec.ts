import { firstValueFrom, from, of } from 'rxjs';
import type { AccessToken, TokenResponse, TokenStore } from 'rx-fresh-token';
import { HEAD_START } from '../../src/internal/hiddenMembers.js';
import { redisTokenStore, type RedisTokenStoreOptions } from '../../src/redis/index.js';
import { connect, freshKey } from './clients.js';
import { pause } from './fleet/fleet.js';
import { heldUp } from './heldUp.js';

const dispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of dispose.splice(0).reverse()) await one();
});

const ask = (store: TokenStore, response: TokenResponse, previous: AccessToken | null = null) =>
  firstValueFrom(
    from(
      store.refresh({ reason: 'scheduled', attempt: 1, previous, signal: new AbortController().signal }, () =>
        of(response),
      ),
    ),
  );

/** Two processes with one key. */
async function two(options: Partial<RedisTokenStoreOptions> = {}) {
  const { client, command, close } = await connect('redis', process.env.REDIS_URL!);
  dispose.push(close);
  const key = freshKey();
  const make = () => redisTokenStore({ client, key, ...options });
  return { one: make(), other: make(), command, hash: `rx-fresh-token:{${key}}` };
}

describe('the life of a token in Redis', () => {
  it.each([
    ['the largest number of Java', 2 ** 63],
    ['the same as a string', '9223372036854775807'],
    ['the largest safe integer', Number.MAX_SAFE_INTEGER],
    ['seconds until the year 318,857', 1e13],
    ['more than any clock shows', 1e300],
  ])('should be a century at most, so that all can use a token that lives for ever: %s', async (_what, expires_in) => {
    const { one, other, command, hash } = await two();
    await ask(one, { access_token: 'T1', expires_in });
    expect(await ask(other, { access_token: 'T2' })).toMatchObject({
      origin: 'shared',
      response: { access_token: 'T1', expires_in },
    });
    expect(Number(await command('PTTL', hash))).toBeGreaterThan(365 * 24 * 3_600_000);
  });

  it('should be what the option `lifetime` says, where the response says nothing', async () => {
    const { one, other } = await two({ lifetime: () => 300 });
    await ask(one, { access_token: 'T1' });
    expect(await ask(other, { access_token: 'T2' })).toMatchObject({ response: { access_token: 'T1' } });
    await pause(350);
    expect(await ask(other, { access_token: 'T2' })).toMatchObject({ response: { access_token: 'T2' } });
  });

  it.each<[string, number, string]>([
    ['with some life left, it is', 1000, 'T1'],
    ['at its end, where a stream would not use it any more, it is not', 3300, 'T2'],
  ])('should decide whether it is handed out: %s', async (_when, age, handedOut) => {
    for (const inSameProcess of [true, false]) {
      const { one, other } = await two();
      const request = { reason: 'initial', attempt: 1, previous: null, signal: new AbortController().signal } as const;
      const aged = Object.assign(request, { [HEAD_START]: age });
      await firstValueFrom(from(one.refresh(aged, () => of({ access_token: 'T1', expires_in: 4 }))));
      // The process that has fetched it knows it without asking Redis.
      const answer = await ask(inSameProcess ? one : other, { access_token: 'T2' });
      expect(answer.response.access_token).toBe(handedOut);
    }
  });

  it('should go on while the machine sleeps, in which the ticks of a process stop', async () => {
    const { client, close } = await connect('redis', process.env.REDIS_URL!);
    dispose.push(close);
    const away = heldUp(client);
    const key = freshKey();
    const [one, other] = [redisTokenStore({ client, key }), redisTokenStore({ client: away.client, key })];
    await ask(one, { access_token: 'T1', expires_in: 3600 });
    await ask(other, { access_token: 'T2' });
    const { now } = Date;
    const asleep = jest.spyOn(Date, 'now').mockImplementation(() => now() + 2 * 3_600_000);
    dispose.push(() => {
      asleep.mockRestore();
    });
    away.hold();
    const asked = ask(other, { access_token: 'T2' }).then(() => 'used as it was');
    const first = await Promise.race([asked, pause(300).then(() => 'looked up in Redis')]);
    away.release();
    await asked;
    expect(first).toBe('looked up in Redis');
  });

  it('should be none where the option `lifetime` fails to tell it, so that the source goes on from its refresh token', async () => {
    const lifetime = ({ access_token }: TokenResponse) => Number(JSON.parse(access_token));
    const { one, other } = await two({ lifetime });
    expect(await ask(one, { access_token: 'opaque', refresh_token: 'R1' })).toMatchObject({ origin: 'fetched' });
    const handed: unknown[] = [];
    const request = { reason: 'initial', attempt: 1, previous: null, signal: new AbortController().signal } as const;
    const asked = other.refresh(request, (last) => {
      handed.push(last?.refresh_token);
      return of({ access_token: '60000' });
    });
    expect(await firstValueFrom(from(asked))).toMatchObject({ origin: 'fetched', response: { access_token: '60000' } });
    expect(handed).toEqual(['R1']);
  });
});
