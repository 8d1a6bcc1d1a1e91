import { firstValueFrom, from, of, Subject, take, type Observable } from 'rxjs';
import type { AccessToken, TokenRequest, TokenResponse } from 'rx-fresh-token';
import { redisTokenStore, type RedisClient } from '../../src/redis/index.js';
import { connect, freshKey, KINDS } from './clients.js';
import { pause, until } from './fleet/fleet.js';
import { heldUp } from './heldUp.js';

const dispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of dispose.splice(0).reverse()) await one();
});

/** A client that counts the scripts which it sends. */
function counted(original: RedisClient) {
  const counter = { calls: 0 };
  const client = new Proxy(original, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        if (name === 'evalSha' || name === 'evalsha') counter.calls++;
        return (member as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  return { client, counter };
}

it.each(KINDS)(
  'should wait while another process fetches, though it knows the token that the server repeats: %s',
  async (kind) => {
    const key = freshKey();
    const begin = async (wrap = (client: RedisClient) => client) => {
      const { client, close } = await connect(kind, process.env.REDIS_URL!);
      const store = redisTokenStore({ client: wrap(client), key, forceCooldown: 0 });
      const pushed: unknown[] = [];
      const watching = store.changes!.subscribe((token) => pushed.push(token));
      dispose.push(close, () => {
        watching.unsubscribe();
      });
      const ask = (previous: string | null, fetch: () => Observable<TokenResponse>) => {
        const request: TokenRequest = {
          reason: previous === null ? 'initial' : 'rejected',
          attempt: 1,
          previous: previous === null ? null : ({ value: previous } as AccessToken),
          signal: new AbortController().signal,
        };
        return firstValueFrom(from(store.refresh(request, fetch)).pipe(take(1)));
      };
      return { ask, pushed };
    };
    const same = () => of({ access_token: 'same', expires_in: 3600 });
    let counter = { calls: 0 };
    let held: ReturnType<typeof heldUp> | undefined;
    const waiting = await begin((client) => {
      held = heldUp(client);
      const counting = counted(held.client);
      counter = counting.counter;
      return counting.client;
    });
    const [other, leader] = [await begin(), await begin()];
    await other.ask(null, same);
    await until(() => waiting.pushed.length === 1);
    held?.hold();
    const answer = waiting.ask('same', () => of({ access_token: 'mine', expires_in: 3600 }));
    await other.ask('same', same);
    await until(() => waiting.pushed.length === 2);
    const arrives = new Subject<TokenResponse>();
    const led = leader.ask('same', () => arrives);
    await until(() => arrives.observed);
    counter.calls = 0;
    held?.release();
    await pause(300);
    expect(counter.calls).toBeLessThan(20);
    arrives.next({ access_token: 'new', expires_in: 3600 });
    await led;
    expect((await answer).response.access_token).toBe('new');
  },
);
