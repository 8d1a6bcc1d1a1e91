import { once } from 'node:events';
import { connect as connectSocket, createServer, type AddressInfo, type Socket } from 'node:net';
import { from, of, firstValueFrom, type Subscription } from 'rxjs';
import type { AccessToken, TokenStore } from 'rx-fresh-token';
import { redisTokenStore } from '../../src/redis/index.js';
import { startRedis } from '../setup/redis/server.cjs';
import { connect, KINDS } from './clients.js';
import { pause, until } from './fleet/fleet.js';

const dispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of dispose.splice(0).reverse()) await one();
});

const fetch = (store: TokenStore, access_token: string, previous: AccessToken | null = null) =>
  firstValueFrom(
    from(
      store.refresh({ reason: 'scheduled', attempt: 1, previous, signal: new AbortController().signal }, () =>
        of({ access_token, expires_in: 3600 }),
      ),
    ),
  );

const isSubscribe = (data: Buffer) => /\r\nsubscribe\r\n/i.test(data.toString('latin1'));

/** A proxy that asks before it passes something on, in either direction. Gives the URL of a Redis behind it. */
async function proxyTo(port: number, passes: (socket: Socket, data: Buffer) => boolean): Promise<string> {
  const proxy = createServer((socket) => {
    const upstream = connectSocket(port, '127.0.0.1');
    [socket, upstream].forEach((end) => end.on('error', () => undefined));
    socket.on('data', (data) => passes(socket, data) && upstream.write(data));
    upstream.on('data', (data) => passes(socket, data) && socket.write(data));
    socket.on('close', () => upstream.destroy());
  }).listen(0, '127.0.0.1');
  dispose.push(() => proxy.close());
  await once(proxy, 'listening');
  return `redis://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`;
}

describe.each(KINDS)('the connection for pushes, with %s,', (kind) => {
  it('should be one for all stores of a client, open while one of them listens, and open again after that', async () => {
    const server = await startRedis();
    dispose.push(server.stop);
    const { client, close } = await connect(kind, server.url);
    const admin = await connect(kind, server.url);
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    dispose.push(close, admin.close, () => {
      warned.mockRestore();
    });
    const connections = async () =>
      String(await admin.command('CLIENT', 'LIST', 'TYPE', 'pubsub'))
        .split('\n')
        .filter((line) => line.includes('id=')).length;
    const subscribers = async (key: string) =>
      ((await admin.command('PUBSUB', 'NUMSUB', `rx-fresh-token:{${key}}:push`)) as unknown[]).map(Number)[1];
    const heard: string[][] = [];
    const listen = (store: TokenStore): Subscription => {
      const mine: string[] = [];
      heard.push(mine);
      return from(store.changes!).subscribe(({ response }) => mine.push(response.access_token));
    };
    // Two for the same key, and more than the listeners that Node takes for a leak.
    const keys = ['a', 'a', ...Array.from({ length: 12 }, (_, index) => `k${String(index)}`)];
    const watching = keys.map((key) => listen(redisTokenStore({ client, key })));
    await pause(300);
    expect([await connections(), await subscribers('a'), await subscribers('k3')]).toEqual([1, 1, 1]);
    const other = redisTokenStore({ client: admin.client, key: 'a' });
    await fetch(other, 'T1');
    await until(() => heard[0]!.length === 1 && heard[1]!.length === 1);
    expect(heard.slice(2).flat()).toEqual([]);

    // Who leaves takes nothing from the others.
    watching[0]!.unsubscribe();
    await fetch(other, 'T2', { value: 'T1' } as AccessToken);
    await until(() => heard[1]!.length === 2);
    watching[1]!.unsubscribe();
    await pause(100);
    expect([await connections(), await subscribers('a'), await subscribers('k3')]).toEqual([1, 0, 1]);

    // One who joins a channel that is open has missed what was said, and looks.
    const late = listen(redisTokenStore({ client, key: 'a' }));
    const later = listen(redisTokenStore({ client, key: 'a' }));
    await until(() => heard.slice(-2).every((mine) => mine.includes('T2')));
    [late, later, ...watching].forEach((one) => {
      one.unsubscribe();
    });
    await pause(100);
    expect(await connections()).toBe(0);
    const again = listen(redisTokenStore({ client, key: 'a' }));
    await until(() => heard.at(-1)!.includes('T2'));
    expect(await connections()).toBe(1);
    again.unsubscribe();
    expect(warned).not.toHaveBeenCalled();
  });

  it('should be closed with the client, and open when that is connected again', async () => {
    const server = await startRedis();
    dispose.push(server.stop);
    const admin = await connect(kind, server.url);
    const { client, close } = await connect(kind, server.url);
    dispose.push(close, admin.close);
    const heard: string[] = [];
    const watching = from(redisTokenStore({ client, key: 'a' }).changes!).subscribe(({ response }) =>
      heard.push(response.access_token),
    );
    dispose.push(() => {
      watching.unsubscribe();
    });
    const connections = async () => String(await admin.command('CLIENT', 'LIST', 'TYPE', 'pubsub')).includes('id=');
    await until(connections);
    close();
    await until(async () => !(await connections()));
    await (client as unknown as { connect: () => Promise<unknown> }).connect();
    await until(connections);
    await fetch(redisTokenStore({ client: admin.client, key: 'a' }), 'T1');
    await until(() => heard.includes('T1'));
  });

  it('should not be opened for a client that was closed before any store listened, until that is connected again', async () => {
    const server = await startRedis();
    dispose.push(server.stop);
    const admin = await connect(kind, server.url);
    const { client, close } = await connect(kind, server.url);
    dispose.push(close, admin.close);
    close();
    await pause(100);
    const heard: string[] = [];
    const watching = from(redisTokenStore({ client, key: 'a' }).changes!).subscribe(({ response }) =>
      heard.push(response.access_token),
    );
    dispose.push(() => {
      watching.unsubscribe();
    });
    const connections = async () => String(await admin.command('CLIENT', 'LIST')).match(/^id=/gm)!.length;
    await pause(500);
    expect(await connections()).toBe(1);
    await (client as unknown as { connect: () => Promise<unknown> }).connect();
    await until(async () => (await connections()) === 3);
    await fetch(redisTokenStore({ client: admin.client, key: 'a' }), 'T1');
    await until(() => heard.includes('T1'));
  });

  it('should be opened again when a firewall has dropped it without a word, and stay open while it is answered', async () => {
    const server = await startRedis();
    dispose.push(server.stop);
    const admin = await connect(kind, server.url);
    dispose.push(admin.close);
    const subscriptions = new Set<unknown>();
    let isDropped: (socket: unknown) => boolean = () => false;
    const url = await proxyTo(server.port, (socket, data) => {
      if (isSubscribe(data)) subscriptions.add(socket);
      return !isDropped(socket);
    });
    // Half a minute is one second here.
    const { setInterval } = globalThis;
    const faster = jest
      .spyOn(globalThis, 'setInterval')
      .mockImplementation(((run: () => void, ms: number) =>
        setInterval(run, ms >= 10_000 ? ms / 30 : ms)) as typeof setInterval);
    dispose.push(() => {
      faster.mockRestore();
    });
    const { client, close } = await connect(kind, url);
    const [store, other] = [redisTokenStore({ client, key: 'a' }), redisTokenStore({ client: admin.client, key: 'a' })];
    const ended: unknown[] = [];
    const watching = from(store.signedOut!).subscribe(() => ended.push(null));
    dispose.push(close, () => {
      watching.unsubscribe();
    });
    await fetch(store, 'T1');
    await until(() => subscriptions.size === 1);
    await pause(2500);
    expect(subscriptions.size).toBe(1);
    const dropped = new Set(subscriptions);
    isDropped = (socket) => dropped.has(socket);
    await pause(100);
    await other.signOut!();
    await until(() => ended.length === 1, 5000);
    expect(subscriptions.size).toBe(2);
  });

  it('should be opened again once a second at most where a proxy closes it at SUBSCRIBE', async () => {
    const server = await startRedis();
    dispose.push(server.stop);
    let closed = 0;
    const url = await proxyTo(server.port, (socket, data) => {
      if (!isSubscribe(data)) return true;
      closed++;
      socket.destroy();
      return false;
    });
    const { client, close } = await connect(kind, url);
    const watching = redisTokenStore({ client, key: 'a' }).changes!.subscribe();
    dispose.push(close, () => {
      watching.unsubscribe();
    });
    await until(() => closed > 0);
    await pause(1500);
    expect(closed).toBeLessThanOrEqual(3);
    expect(closed).toBeGreaterThanOrEqual(2);
  });

  it('should not be taken from the others by a channel that Redis refuses', async () => {
    const server = await startRedis();
    dispose.push(server.stop);
    const admin = await connect(kind, server.url);
    await admin.command('ACL', 'SETUSER', 'default', 'resetchannels', '&rx-fresh-token:{a}*');
    const { client, close } = await connect(kind, server.url);
    dispose.push(close, admin.close);
    const heard: string[] = [];
    const watching = ['forbidden', 'a'].map((key) =>
      from(redisTokenStore({ client, key }).changes!).subscribe(({ response }) => heard.push(response.access_token)),
    );
    dispose.push(() => {
      watching.forEach((one) => {
        one.unsubscribe();
      });
    });
    await pause(300);
    const id = /id=(\d+)/.exec(String(await admin.command('CLIENT', 'LIST', 'TYPE', 'pubsub')))?.[1];
    await pause(1300);
    expect(/id=(\d+)/.exec(String(await admin.command('CLIENT', 'LIST', 'TYPE', 'pubsub')))?.[1]).toBe(id);
    await fetch(redisTokenStore({ client: admin.client, key: 'a' }), 'T1');
    await until(() => heard.includes('T1'));
  });
});
