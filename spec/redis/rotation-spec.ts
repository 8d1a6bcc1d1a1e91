import { filter, firstValueFrom, from, of } from 'rxjs';
import { createTokenStream, type AccessToken, type TokenRequest, type TokenResponse } from 'rx-fresh-token';
import { refreshToken } from '../../src/oauth/refreshToken.js';
import { clientOf, startAuthority } from '../oauth/authority.js';
import { connect, freshKey, KINDS, type Kind } from './clients.js';
import { redisTokenStore } from '../../src/redis/index.js';
import { cutOff } from './cutOff.js';
import { pause } from './fleet/fleet.js';

jest.setTimeout(40_000);
const dispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of dispose.splice(0).reverse()) await one();
});

/**
 * The processes of a fleet, all begun with the same refresh token, at a server that revokes everything when a used one
 * comes back.
 */
async function fleet(kind: Kind) {
  const authority = await startAuthority({ delay: 20 });
  const seed = await authority.seed();
  const key = freshKey();
  const encryptionKey = { id: 'k1', key: new Uint8Array(32).fill(3) };
  const start = async () => {
    const { client, close } = await connect(kind, process.env.REDIS_URL!);
    const token$ = createTokenStream(refreshToken({ ...clientOf(authority, 'app'), refreshToken: seed }), {
      store: redisTokenStore({ client, key, encryptionKey, forceCooldown: 0 }),
    });
    dispose.push(() => {
      token$.close();
    }, close);
    return token$;
  };
  return { authority, key, start };
}

/** What a stream asks its store for, after a token of that value; null: for its first one. */
const requestAfter = (value: string | null, how: Pick<TokenRequest, 'reason' | 'attempt'>): TokenRequest => ({
  ...how,
  ...(value === null && { reason: 'initial' }),
  previous: value === null ? null : ({ value } as AccessToken),
  signal: new AbortController().signal,
});

describe.each(KINDS)('a rotating refresh token in the store, with %s,', (kind) => {
  it('should go on from the last one that this process has got, while Redis is away', async () => {
    const { client, close } = await connect(kind, process.env.REDIS_URL!);
    const store = redisTokenStore({ client, key: freshKey(), onUnavailable: 'local', storeDeadline: 100 });
    const presented: string[] = [];
    const ask = (value: string | null) => {
      const request = requestAfter(value, { reason: 'scheduled', attempt: 1 });
      const fetch = (last?: TokenResponse | null) => {
        const n = String(presented.push(last?.refresh_token ?? 'R0'));
        return of({ access_token: `T${n}`, refresh_token: `R${n}`, expires_in: 60 });
      };
      return firstValueFrom(from(store.refresh(request, fetch)));
    };
    await ask(null);
    close();
    await ask('T1');
    await ask('T2');
    expect(presented).toEqual(['R0', 'R1', 'R2']);
  });

  it('should go on from the last one that was pushed to an idle process, when Redis has lost its data', async () => {
    const key = freshKey();
    const open = async () => {
      const { client, command, close } = await connect(kind, process.env.REDIS_URL!);
      dispose.push(close);
      return { command, store: redisTokenStore({ client, key, forceCooldown: 0, lease: 500 }) };
    };
    const [one, other] = [await open(), await open()];
    const presented: string[] = [];
    const source = ({ last }: TokenRequest) => {
      const n = String(presented.push(last?.refresh_token ?? 'R0'));
      return of({ access_token: `T${n}`, refresh_token: `R${n}`, expires_in: n === '1' ? 1 : 3600 });
    };
    const idle$ = createTokenStream(source, { store: one.store, idleTimeout: 1 });
    const other$ = createTokenStream(source, { store: other.store });
    dispose.push(
      () => idle$.close(),
      () => other$.close(),
    );
    const idle = firstValueFrom(idle$.events.pipe(filter(({ type }) => type === 'idle')));
    await firstValueFrom(idle$);
    await idle;
    const pushed = firstValueFrom(one.store.changes!.pipe(filter(({ response }) => response.access_token === 'T2')));
    other$.subscribe();
    await pushed;
    await one.command('DEL', `rx-fresh-token:{${key}}`);
    // The first one takes the token that was pushed.
    await firstValueFrom(idle$.refresh());
    await firstValueFrom(idle$.refresh());
    expect(presented).toEqual(['R0', 'R1', 'R2']);
  });

  it('should be presented once when Redis loses its data while it is exchanged', async () => {
    const key = freshKey();
    const { client, command, close } = await connect(kind, process.env.REDIS_URL!);
    dispose.push(close);
    const presented: string[] = [];
    const source = async ({ last }: TokenRequest) => {
      const n = String(presented.push(last?.refresh_token ?? 'R0'));
      if (n === '2') await command('DEL', `rx-fresh-token:{${key}}`);
      await pause(n === '1' ? 0 : 300);
      return { access_token: `T${n}`, refresh_token: `R${n}`, expires_in: 3600 };
    };
    const open = () => {
      const token$ = createTokenStream(source, { store: redisTokenStore({ client, key, forceCooldown: 0 }) });
      dispose.push(() => {
        token$.close();
      });
      return token$;
    };
    const streams = [open(), open()];
    for (const token$ of streams) await firstValueFrom(token$);
    const tokens = streams.map(async (token$, index) => {
      await pause(100 * index);
      return (await firstValueFrom(token$.refresh())).value;
    });
    expect(await Promise.all(tokens)).toEqual(['T2', 'T2']);
    expect(presented).toEqual(['R0', 'R1']);
  });

  it.each([60, 1])(
    'should be presented once when Redis is out of reach for longer than the lease while it is exchanged, with tokens of %d s',
    async (expires_in) => {
      const key = freshKey();
      const presented: string[] = [];
      const open = async () => {
        const { client: original, close } = await connect(kind, process.env.REDIS_URL!);
        const { client, cut, heal } = cutOff(original);
        const store = redisTokenStore({ client, key, forceCooldown: 0, lease: 1000, fetchTimeout: 800 });
        dispose.push(close);
        return { store, cut, heal };
      };
      const [leader, other] = [await open(), await open()];
      const ask = (store: typeof leader.store, value: string | null) => {
        const request = requestAfter(value, { reason: 'manual', attempt: 2 });
        const fetch = (last?: TokenResponse | null) => {
          const n = String(presented.push(last?.refresh_token ?? 'R0'));
          if (n === '2') [leader, other].forEach(({ cut }) => cut());
          return of({ access_token: `T${n}`, refresh_token: `R${n}`, expires_in });
        };
        return firstValueFrom(from(store.refresh(request, fetch)));
      };
      await ask(leader.store, null);
      await ask(other.store, null);
      await ask(leader.store, 'T1');
      const shared = ask(other.store, 'T1');
      await pause(1500);
      other.heal();
      await pause(400);
      leader.heal();
      await shared;
      expect(presented).toEqual(['R0', 'R1', 'R2'].slice(0, presented.length));
    },
  );

  it("should be the last that this process has fetched, with 'local', when Redis takes an older one late", async () => {
    const { client: original, close } = await connect(kind, process.env.REDIS_URL!);
    dispose.push(close);
    const { client, cut, heal } = cutOff(original);
    const store = redisTokenStore({ client, key: freshKey(), onUnavailable: 'local', forceCooldown: 0 });
    const presented: string[] = [];
    const ask = (value: string | null) => {
      const request = requestAfter(value, { reason: 'manual', attempt: 2 });
      const fetch = (last?: TokenResponse | null) => {
        const n = String(presented.push(last?.refresh_token ?? 'R0'));
        if (n === '2') cut();
        return of({ access_token: `T${n}`, refresh_token: `R${n}`, expires_in: 1 });
      };
      return firstValueFrom(from(store.refresh(request, fetch)));
    };
    await ask(null);
    await ask('T1');
    await ask('T2');
    // For longer than the life of a token.
    await pause(1500);
    heal();
    await pause(600);
    await ask('T3');
    expect(presented).toEqual(['R0', 'R1', 'R2', 'R3']);
  });

  it('should be one chain for all, whoever leads, newcomers with the first one too', async () => {
    const { authority, start } = await fleet(kind);
    const streams = [await start(), await start(), await start()];
    const tokens = await Promise.all(streams.map((token$) => firstValueFrom(token$)));
    expect(new Set(tokens.map(({ value }) => value)).size).toBe(1);
    for (let round = 0; round < 3; round++) {
      for (const token$ of streams) await firstValueFrom(token$.refresh());
    }
    const newcomer = await start();
    newcomer.reject(await firstValueFrom(newcomer));
    await firstValueFrom(newcomer.refresh());
    const { tokens: exchanges, refused, revokedGrants } = await authority.stats();
    expect({ refused, revokedGrants }).toEqual({ refused: [], revokedGrants: 0 });
    expect(exchanges).toBeGreaterThanOrEqual(4);
  });

  it('should not be lost when the one who exchanges it is closed meanwhile', async () => {
    const { authority, start } = await fleet(kind);
    for (const delay of [5, 12, 20, 25]) {
      const leaving = await start();
      leaving.subscribe();
      await pause(delay);
      const refreshing = leaving.refresh().subscribe({ error: () => undefined });
      await pause(delay);
      leaving.close();
      refreshing.unsubscribe();
      const next = await start();
      await firstValueFrom(next.refresh());
      next.close();
    }
    const { refused, revokedGrants } = await authority.stats();
    expect({ refused, revokedGrants }).toEqual({ refused: [], revokedGrants: 0 });
  });
});
