import { firstValueFrom, of } from 'rxjs';
import { takeToken } from 'rx-fresh-token';
import { createTokenPool } from 'rx-fresh-token/pool';
import { redisTokenStore } from 'rx-fresh-token/redis';
import { connect, freshKey, type Connection } from '../redis/clients.js';
import { until } from '../redis/fleet/fleet.js';

let connection: Connection;
beforeAll(async () => {
  connection = await connect('redis', process.env.REDIS_URL!);
});
afterAll(() => {
  connection.close();
});

interface Key {
  tenant: string;
  'name {of} it': string;
}

function poolOf(tag: string, max?: number) {
  let count = 0;
  const { client } = connection;
  return createTokenPool(
    ({ tenant }: Key) =>
      () =>
        of({ access_token: `${tenant}#${String(++count)}`, expires_in: 60 }),
    { store: (id) => redisTokenStore({ client, key: `${tag}:${id}` }), max },
  );
}

const keyOf = (tenant: string): Key => ({ tenant, 'name {of} it': 'a b' });

it('should share the token of a key with other pools, whatever is in the key', async () => {
  const tag = freshKey();
  const [one, other] = [poolOf(tag), poolOf(tag)];
  const [first, second] = [one, other].map((pool) => pool.get(keyOf('a')));
  expect((await firstValueFrom(takeToken(first!))).value).toBe('a#1');
  expect((await firstValueFrom(takeToken(second!))).value).toBe('a#1');
  expect((await firstValueFrom(takeToken(other.get(keyOf('b'))))).value).toBe('b#1');
  one.close();
  other.close();
});

it('should sign out everywhere, although the stream that does is closed at once, and was not even there', async () => {
  const tag = freshKey();
  const [one, other] = [poolOf(tag), poolOf(tag)];
  await firstValueFrom(takeToken(one.get(keyOf('a'))));
  other.delete(keyOf('a'), { signOut: true });
  other.close();
  await until(() => one.get(keyOf('a')).current === null);
  expect((await firstValueFrom(takeToken(one.get(keyOf('a'))))).value).toBe('a#2');
  one.close();
});

it('should not listen to the channel of a stream that was dropped', async () => {
  const tag = freshKey();
  const pool = poolOf(tag, 1);
  const channels = async () =>
    ((await connection.command('PUBSUB', 'CHANNELS', `*${tag}*`)) as string[]).map(
      (name) => /'([a-z])'/.exec(name)?.[1],
    );
  await firstValueFrom(takeToken(pool.get(keyOf('a'))));
  await until(async () => (await channels()).join() === 'a');
  await firstValueFrom(takeToken(pool.get(keyOf('b'))));
  await until(async () => (await channels()).join() === 'b');
  pool.close();
  await until(async () => (await channels()).length === 0);
});
