import type { EventEmitter } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createClient } from 'redis';
import { filter, firstValueFrom, from, fromEvent, map, of, switchMap, throwError } from 'rxjs';
import { createTokenStream, type TokenStream } from 'rx-fresh-token';
import { redisTokenStore, streamingCredentials } from '../../src/redis/index.js';
import { startRedis } from '../setup/redis/server.cjs';
import { connect, type Connection } from './clients.js';
import { pause, until } from './fleet/fleet.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const dispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of dispose.splice(0).reverse()) await one();
});

/**
 * A Redis whose user `app` has the last two tokens as passwords, as servers do that let a token live on for a moment.
 */
async function passwordServer(expires_in: number) {
  const server = await startRedis();
  dispose.push(server.stop);
  const admin = await connect('redis', server.url);
  dispose.push(admin.close);
  await admin.command('ACL', 'SETUSER', 'app', 'on', '~*', '&*', '+@all');
  const issued: string[] = [];
  const issue = async () => {
    const token = `secret-${String(issued.length + 1)}`;
    const outdated = issued.at(-2);
    issued.push(token);
    await admin.command('ACL', 'SETUSER', 'app', `>${token}`, ...(outdated ? [`<${outdated}`] : []));
    return token;
  };
  const token$ = createTokenStream(() => from(issue()).pipe(map((access_token) => ({ access_token, expires_in }))));
  dispose.push(() => {
    token$.close();
  });
  return { server, admin, issued, token$ };
}

function clientOf(url: string, token$: TokenStream, RESP: 2 | 3 = 3) {
  const provider = streamingCredentials(token$, { username: 'app' });
  const client = createClient({
    url,
    RESP,
    credentialsProvider: provider,
    socket: { reconnectStrategy: () => 50 },
  });
  const errors: unknown[] = [];
  client.on('error', (error) => errors.push(error));
  dispose.push(() => {
    client.destroy();
  });
  return { client, errors, provider };
}

/** The client hears of the loss later than the server answers: until then it says that it is ready. */
async function reconnect(client: EventEmitter, admin: Connection) {
  const ready = firstValueFrom(fromEvent(client, 'ready'));
  await admin.command('CLIENT', 'KILL', 'USER', 'app');
  await ready;
}

describe('a Redis that is reached with a token', () => {
  it.each([2, 3] as const)('should be told each new token on the connection that is open, by RESP %d', async (RESP) => {
    const { server, admin, issued, token$ } = await passwordServer(1);
    const { client, errors } = clientOf(server.url, token$, RESP);
    await client.connect();
    const id = await client.sendCommand(['CLIENT', 'ID']);
    const authentications = async () =>
      Number(/cmdstat_auth:calls=(\d+)/.exec(String(await admin.command('INFO', 'commandstats')))?.[1] ?? 0);
    const before = await authentications();
    await until(() => issued.length >= 5);
    await pause(100);
    expect(await client.sendCommand(['CLIENT', 'ID'])).toEqual(id);
    expect(await client.sendCommand(['ACL', 'WHOAMI'])).toBe('app');
    expect((await authentications()) - before).toBeGreaterThanOrEqual(4);
    // A refused password would stand here.
    expect(await admin.command('ACL', 'LOG')).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('should be told the usable token when the connection is lost and made again', async () => {
    const { server, admin, issued, token$ } = await passwordServer(1);
    const { client } = clientOf(server.url, token$);
    await client.connect();
    await until(() => issued.length >= 4);
    await reconnect(client, admin);
    expect(await client.ping()).toBe('PONG');
  });

  it('should be asked with another token when it refuses one', async () => {
    const { server, admin, issued, token$ } = await passwordServer(3600);
    const { client, provider } = clientOf(server.url, token$);
    client.on('error', provider.onReAuthenticationError);
    await client.connect();
    // All tokens are revoked, and the connection has to be made again.
    await admin.command('ACL', 'SETUSER', 'app', 'resetpass');
    await reconnect(client, admin);
    expect(issued).toEqual(['secret-1', 'secret-2']);
    expect(await client.sendCommand(['ACL', 'WHOAMI'])).toBe('app');
  });

  it('should be asked with another token when it refuses one on the connection that is open', async () => {
    const server = await startRedis();
    dispose.push(server.stop);
    const admin = await connect('redis', server.url);
    dispose.push(admin.close);
    let n = 0;
    // Redis does not learn of the second one.
    const issue = async () => {
      const access_token = `secret-${String(++n)}`;
      if (n !== 2) await admin.command('ACL', 'SETUSER', 'app', 'on', 'resetpass', `>${access_token}`, '~*', '+@all');
      return { access_token, expires_in: 3600 };
    };
    const token$ = createTokenStream(issue);
    dispose.push(() => {
      token$.close();
    });
    const { client } = clientOf(server.url, token$);
    await client.connect();
    await firstValueFrom(token$.refresh());
    await until(() => token$.current?.value === 'secret-3', 5000);
  });

  it('should carry a store and its pushes as well', async () => {
    const { server, token$ } = await passwordServer(1);
    const { client } = clientOf(server.url, token$);
    await client.connect();
    const make = () => redisTokenStore({ client, key: 'k' });
    const heard: string[] = [];
    const watching = make().changes!.subscribe(({ response }) => heard.push(response.access_token));
    dispose.push(() => {
      watching.unsubscribe();
    });
    await pause(1500);
    await firstValueFrom(
      from(
        make().refresh({ reason: 'initial', attempt: 1, previous: null, signal: new AbortController().signal }, () =>
          of({ access_token: 'T1', expires_in: 3600 }),
        ),
      ),
    );
    await until(() => heard.includes('T1'));
  });
});

describe('the credentials of a stream', () => {
  const listener = () => {
    const told: unknown[] = [];
    return {
      told,
      onNext: (credentials: unknown) => told.push(credentials),
      onError: (error: Error) => told.push(error.name),
    };
  };

  it('should be told until they are disposed of, each token once', async () => {
    let n = 0;
    const token$ = createTokenStream(() => of({ access_token: `T${String(++n)}`, expires_in: 3600 }));
    const to = listener();
    const [first, subscription] = await streamingCredentials(token$).subscribe(to);
    expect(first).toEqual({ username: 'default', password: 'T1' });
    await firstValueFrom(token$.refresh());
    subscription.dispose();
    await firstValueFrom(token$.refresh());
    expect(to.told).toEqual([{ username: 'default', password: 'T2' }]);
    token$.close();
  });

  it('should not be told to a connection whose subscription is lost, as `redis` loses it when it reconnects', async () => {
    let n = 0;
    const token$ = createTokenStream(() => of({ access_token: `T${String(++n)}`, expires_in: 0.5 }));
    const idle = firstValueFrom(token$.events.pipe(filter(({ type }) => type === 'idle')));
    const credentials = streamingCredentials(token$);
    const to = listener();
    const lost: unknown[] = [];
    const loseOne = async () => {
      const listening = { onNext: (one: unknown) => lost.push(one), onError: () => undefined };
      await credentials.subscribe(listening);
      return new WeakRef(listening);
    };
    const [, subscription] = await credentials.subscribe(to);
    const last = await loseOne();
    await until(() => {
      collectGarbage();
      return last.deref() === undefined;
    });
    const before = lost.length;
    const heard = to.told.length;
    await until(() => to.told.length > heard);
    expect(lost.length).toBe(before);
    subscription.dispose();
    await idle;
    token$.close();
  });

  it('should fail a connection when there is no token within `maxWait`, or the stream is closed', async () => {
    const token$ = createTokenStream(() => throwError(() => new Error('down')), { maxWait: 100 });
    await expect(streamingCredentials(token$).subscribe(listener())).rejects.toMatchObject({
      code: 'ERR_TOKEN_UNAVAILABLE',
    });
    token$.close();
    await expect(streamingCredentials(token$).subscribe(listener())).rejects.toMatchObject({
      code: 'ERR_TOKEN_STREAM_CLOSED',
    });
  });

  it('should go on after a permanent failure, and tell of it', async () => {
    let fails = false;
    let n = 0;
    const token$ = createTokenStream(() =>
      of(null).pipe(
        switchMap(() =>
          fails
            ? throwError(() => Object.assign(new Error('no'), { status: 400 }))
            : of({ access_token: `T${String(++n)}`, expires_in: 1 }),
        ),
      ),
    );
    const to = listener();
    const [, subscription] = await streamingCredentials(token$, { username: 'app' }).subscribe(to);
    // The renewal fails permanently, and the token is over.
    fails = true;
    await until(() => to.told.length > 0);
    fails = false;
    await until(() => to.told.length > 1);
    expect(to.told.slice(0, 2)).toEqual(['TokenUnavailableError', { username: 'app', password: 'T2' }]);
    subscription.dispose();
    token$.close();
  });

  it('should not count as an acceptance of the token before Redis has answered', async () => {
    let n = 0;
    const token$ = createTokenStream(() => of({ access_token: `T${String(++n)}`, expires_in: 3600 }));
    const credentials = streamingCredentials(token$);
    // Tokens that no server has accepted are replaced after 1 s, 2 s, 4 s, … only.
    for (let connection = 0; connection < 6; connection++) {
      const [, subscription] = await credentials.subscribe(listener());
      credentials.onReAuthenticationError(new Error('WRONGPASS invalid username-password pair or user is disabled.'));
      subscription.dispose();
    }
    expect(n).toBeLessThan(6);
    token$.close();
  });

  it('should end with the stream', async () => {
    let n = 0;
    const token$ = createTokenStream(() =>
      n++ === 0
        ? of({ access_token: 'T1', expires_in: 0.5 })
        : throwError(() => Object.assign(new Error('no'), { status: 400 })),
    );
    const to = listener();
    await streamingCredentials(token$).subscribe(to);
    await until(() => to.told.length > 0);
    token$.close();
    await pause(1300);
    expect(to.told).not.toContain('TokenStreamClosedError');
  });

  it.each([
    [
      'options',
      () =>
        streamingCredentials(
          createTokenStream(() => of()),
          null as never,
        ),
    ],
    [
      'username',
      () =>
        streamingCredentials(
          createTokenStream(() => of()),
          { username: '' },
        ),
    ],
    [
      'username',
      () =>
        streamingCredentials(
          createTokenStream(() => of()),
          { username: 7 as never },
        ),
    ],
    ['token$', () => streamingCredentials(of() as never)],
  ])('should not be made with a wrong %s', (name, make) => {
    expect(make).toThrow(TypeError);
    expect(make).toThrow(name);
  });
});
