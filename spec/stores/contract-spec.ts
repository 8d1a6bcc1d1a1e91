import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  delay,
  filter,
  finalize,
  firstValueFrom,
  from,
  map,
  NEVER,
  of,
  tap,
  throwError,
  timer,
  type Observable,
} from 'rxjs';
import type { StoredToken, TokenRequest, TokenResponse, TokenStore } from 'rx-fresh-token';
import { fileTokenStore } from 'rx-fresh-token/file';
import { HEAD_START } from '../../src/internal/hiddenMembers.js';
import { memoryTokenStore } from '../../src/testing/memoryTokenStore.js';
import { storeContract, type StoresUnderTest } from '../../src/testing/contract/storeContract.js';
import { instances, KINDS } from '../redis/clients.js';
import { itKeepsTheContract } from './storeContract.js';

describe('the store in memory', () => {
  itKeepsTheContract(() => {
    const place = {};
    return { stores: Array.from({ length: 5 }, () => memoryTokenStore(place)) };
  });
});

describe('the store in a file', () => {
  itKeepsTheContract(() => {
    const folder = mkdtempSync(join(tmpdir(), 'file-store-'));
    return {
      stores: Array.from({ length: 5 }, () => fileTokenStore(join(folder, 'token.json'))),
      dispose: () => {
        rmSync(folder, { recursive: true });
      },
    };
  });
});

describe.each(KINDS)('the store in Redis, with %s', (kind) => {
  itKeepsTheContract(async () => {
    const { all, dispose } = await instances(kind, 5);
    return { stores: all.map(({ store }) => store), dispose };
  });
});

describe('the store in Redis, encrypted', () => {
  itKeepsTheContract(async () => {
    const { all, dispose } = await instances('redis', 3, {
      encryptionKey: { id: 'k1', key: new Uint8Array(32).fill(7) },
    });
    return { stores: all.map(({ store }) => store), dispose };
  });
});

jest.setTimeout(30_000);

describe('a source that answers from an exchange that was under way already', () => {
  it.each<[string, () => StoresUnderTest | Promise<StoresUnderTest>]>([
    [
      'in memory',
      () => {
        const place = {};
        return { stores: [memoryTokenStore(place), memoryTokenStore(place)] };
      },
    ],
    [
      'in a file',
      () => {
        const folder = mkdtempSync(join(tmpdir(), 'file-store-'));
        return {
          stores: [fileTokenStore(join(folder, 'token.json')), fileTokenStore(join(folder, 'token.json'))],
          dispose: () => {
            rmSync(folder, { recursive: true });
          },
        };
      },
    ],
    [
      'in Redis',
      async () => {
        const { all, dispose } = await instances('ioredis', 2);
        return { stores: all.map(({ store }) => store), dispose };
      },
    ],
  ])('should make the token older by that for all who share it: %s', async (_where, create) => {
    const { stores, dispose } = await create();
    const ask = (store: TokenStore | undefined) => {
      const request: TokenRequest = {
        reason: 'initial',
        attempt: 1,
        previous: null,
        signal: new AbortController().signal,
      };
      return firstValueFrom(
        from(
          store!.refresh(request, () => {
            Reflect.defineProperty(request, HEAD_START, { value: 5000 });
            return of({ access_token: 'T1', expires_in: 3600 });
          }),
        ),
      );
    };
    for (const store of stores) {
      const { age } = await ask(store);
      expect(age).toBeGreaterThanOrEqual(5000);
      expect(age).toBeLessThan(15_000);
    }
    await dispose?.();
  });
});

describe('the contract', () => {
  type Refresh = (
    previous: string | undefined,
    fetch: () => Observable<TokenResponse>,
  ) => Observable<StoredToken> | Promise<StoredToken>;
  const storeOf = (refresh: Refresh): TokenStore => ({
    refresh: ({ previous }, fetch) => refresh(previous?.value, () => fetch()),
  });
  const fetched = (fetch: () => Observable<TokenResponse>) =>
    fetch().pipe(map((response): StoredToken => ({ response, age: 0, origin: 'fetched' })));

  const failing = async (stores: () => TokenStore[], about = ''): Promise<string[]> => {
    const checks = storeContract({ create: () => ({ stores: stores() }), timeout: 500 });
    const results = await Promise.all(
      checks
        .filter(({ name }) => name.includes(about))
        .map(({ name, run }) =>
          run().then(
            () => [],
            () => [name],
          ),
        ),
    );
    return results.flat();
  };

  it('should find the fault of a store that shares nothing', async () => {
    expect(await failing(() => Array.from({ length: 3 }, () => storeOf((_previous, fetch) => fetched(fetch))))).toEqual(
      expect.arrayContaining([
        'should fetch once for all who ask at once',
        'should hand what is there to those who come later',
        'should not underestimate the age of a token',
      ]),
    );
  });

  it('should find the fault of a store that hands out whatever it has, for ever', async () => {
    const failed = await failing(() => {
      let kept: Promise<StoredToken> | undefined;
      return Array.from({ length: 3 }, () =>
        storeOf(
          (_previous, fetch) =>
            (kept ??= new Promise((resolve, reject) => {
              from(fetched(fetch)).subscribe({ next: resolve, error: reject });
            })),
        ),
      );
    });
    expect(failed).toEqual(
      expect.arrayContaining([
        'should replace a rejected token once, however many ask',
        'should fail with what the fetch failed with, and not keep that for ever',
      ]),
    );
  });

  it('should find the fault of a store that locks, and does not compare', async () => {
    const failed = await failing(() => {
      let queue: Promise<unknown> = timer(0).forEach(() => undefined);
      return Array.from({ length: 3 }, () =>
        storeOf((_previous, fetch) => {
          const mine = queue.then(
            () =>
              new Promise<StoredToken>((resolve, reject) => {
                fetched(fetch).subscribe({ next: resolve, error: reject });
              }),
          );
          queue = mine.catch(() => undefined);
          return mine;
        }),
      );
    });
    expect(failed).toEqual(
      expect.arrayContaining([
        'should replace a rejected token once, however many ask',
        'should answer the rejection of a token that was replaced before with its successor, without a fetch',
      ]),
    );
  });

  it('should find the fault of a store that hands a damaged token to those who wait', async () => {
    const failed = await failing(() => {
      const place = {};
      return Array.from({ length: 3 }, (): TokenStore => {
        const inner = memoryTokenStore(place);
        const refresh: TokenStore['refresh'] = (request, fetch) =>
          from(inner.refresh(request, fetch)).pipe(
            map((token) =>
              token.origin === 'fetched'
                ? token
                : { ...token, response: { ...token.response, access_token: `${token.response.access_token}x` } },
            ),
          );
        return Object.assign(Object.create(inner) as TokenStore, { refresh });
      });
    });
    expect(failed).toEqual(
      expect.arrayContaining([
        'should fetch once for all who ask at once',
        'should replace a token once, however many ask: scheduled',
        'should replace a rejected token once, however many ask',
      ]),
    );
  });

  it('should find the fault of a store that hands out expired tokens', async () => {
    const failed = await failing(() => {
      let kept: StoredToken | undefined;
      return Array.from({ length: 3 }, () =>
        storeOf((previous, fetch) =>
          kept && kept.response.access_token !== previous
            ? of({ ...kept, origin: 'shared' })
            : fetched(fetch).pipe(tap((token) => (kept = token))),
        ),
      );
    });
    expect(failed).toContain('should not hand out an expired token');
  });

  it('should find the fault of a store that tells the others nothing of a token’s age', async () => {
    const failed = await failing(() => {
      const place = {};
      return Array.from({ length: 3 }, () => {
        const { refresh, changes } = memoryTokenStore(place);
        return { refresh, changes: changes!.pipe(map((token) => ({ ...token, age: 0 }))) };
      });
    });
    expect(failed).toEqual(['should tell the others of a new token, if it tells at all']);
  });

  describe('of a sign-out', () => {
    const forgetful = (change: (store: TokenStore) => Partial<TokenStore>) => () => {
      const place = {};
      return Array.from({ length: 3 }, () => {
        const store = memoryTokenStore(place);
        return { ...store, ...change(store) };
      });
    };
    const NAMES = {
      ended: 'should hand out no token of a session that has ended, to anyone, if it has signOut',
      late: 'should not keep a token that arrives after the sign-out, if it has signOut',
      told: 'should tell the others of a sign-out, if it has signOut and signedOut',
      own: 'should tell of its own sign-out at once or not at all, if it has signOut and signedOut',
    };

    it('should find the fault of a store that does nothing', async () => {
      expect(
        await failing(
          forgetful(() => ({ signOut: () => undefined })),
          'signOut',
        ),
      ).toEqual([NAMES.ended, NAMES.late, NAMES.told]);
    });

    it('should find the fault of a store that hears its own sign-out from its channel, when it comes round', async () => {
      const echoed = ({ signedOut }: TokenStore) => ({ signedOut: from(signedOut!).pipe(delay(50)) });
      expect(await failing(forgetful(echoed), 'signOut')).toEqual([NAMES.own]);
    });

    it('should find no fault with a store that tells the others only', async () => {
      const others = ({ signOut, signedOut }: TokenStore) => {
        let isOwn = false;
        return {
          signOut: () => {
            isOwn = true;
            signOut?.();
            isOwn = false;
          },
          signedOut: from(signedOut!).pipe(filter(() => !isOwn)),
        };
      };
      expect(await failing(forgetful(others), 'signOut')).toEqual([]);
    });

    it('should find the fault of a store that tells nobody', async () => {
      expect(
        await failing(
          forgetful(() => ({ signedOut: NEVER })),
          'signOut',
        ),
      ).toEqual([NAMES.told]);
    });

    it('should find the fault of a store that signs out only when the token has come', async () => {
      const late = ({ refresh, signOut }: TokenStore): Partial<TokenStore> => {
        let flights = 0;
        return {
          refresh: (request, fetch) => {
            flights++;
            return from(refresh(request, fetch)).pipe(finalize(() => flights--));
          },
          signOut: () => {
            if (flights === 0) signOut?.();
          },
        };
      };
      expect(await failing(forgetful(late), 'signOut')).toEqual([NAMES.late]);
    });

    it('should ask nothing of a store without', async () => {
      expect(
        await failing(
          forgetful(() => ({ signOut: undefined, signedOut: undefined })),
          'signOut',
        ),
      ).toEqual([]);
    });
  });

  it.each<[string, () => Observable<StoredToken>, string]>([
    ['never answers', () => NEVER, 'the store breaks its contract: no answer in time'],
    ['always fails', () => throwError(() => new Error('no connection')), 'no connection'],
  ])('should come to an end with a store that %s', async (_how, refresh, message) => {
    const store: TokenStore = { refresh };
    for (const { name, run } of storeContract({ create: () => ({ stores: [store, store, store] }), timeout: 50 })) {
      const failure = await run().then(
        () => `${name}: passed`,
        (error: unknown) => (error as Error).message,
      );
      // What is optional, and missing here.
      if (name.includes(', if it ')) continue;
      if (!name.startsWith('should fail with')) expect(failure).toBe(message);
    }
  });

  it('should dispose of stores that are too few', async () => {
    const dispose = jest.fn();
    const [check] = storeContract({ create: () => ({ stores: [memoryTokenStore()], dispose }) });
    await expect(check!.run()).rejects.toThrow('three stores or more, got 1');
    expect(dispose).toHaveBeenCalledTimes(1);
  });
});
