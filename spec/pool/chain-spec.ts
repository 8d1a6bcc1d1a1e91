import { asapScheduler, defer, map, NEVER, of, type Observable, type SchedulerLike } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import type { StoredToken, TokenRequest, TokenResponse, TokenStore } from 'rx-fresh-token';
import { createChains } from '../../src/pool/chain.js';
import { createTurns } from '../../src/pool/turns.js';

const request = {} as TokenRequest;
const chainsOf = (scheduler: SchedulerLike) => createChains(scheduler, createTurns(Infinity));

/** As a stream of the pool does it. */
const exchange = (
  chain: ReturnType<ReturnType<typeof chainsOf>>,
  fetch: Parameters<TokenStore['refresh']>[1],
  store = chain.join(),
): Observable<StoredToken> => chain.inTurn(defer(() => store.refresh(request, fetch)));

describe('a chain', () => {
  it(
    'should hand each exchange the refresh token of the one before, not its access token, and know the age of what comes',
    marbles((m) => {
      const chainOf = chainsOf(m.scheduler);
      const given: unknown[] = [];
      const fetch =
        (name: string) =>
        (last?: TokenResponse | null): Observable<TokenResponse> => {
          given.push(last ?? null);
          return m.cold('--(r|)', { r: { access_token: name, refresh_token: `R-${name}` } });
        };
      const values: Record<string, StoredToken> = {
        a: { response: { access_token: 'a', refresh_token: 'R-a' }, age: 2, origin: 'fetched' },
        b: { response: { access_token: 'b', refresh_token: 'R-b' }, age: 2, origin: 'fetched' },
      };
      m.expect(exchange(chainOf('s'), fetch('a'))).toBeObservable('--(a|)', values);
      m.expect(exchange(chainOf('s'), fetch('b'))).toBeObservable('----(b|)', values);
      // Another session does not wait.
      m.expect(exchange(chainOf('t'), fetch('a'))).toBeObservable('--(a|)', values);
      m.flush();
      expect(given).toEqual([null, null, { access_token: '', refresh_token: 'R-a' }]);
    }),
  );

  it.each([{}, { refresh_token: '' }])(
    'should go on with the refresh token that it has when an exchange brings no other: %j',
    (brought) => {
      const chain = chainsOf(asapScheduler)('s');
      const given: unknown[] = [];
      for (const response of [{ refresh_token: 'R' }, brought, {}])
        exchange(chain, (last) => {
          given.push(last?.refresh_token);
          return of({ access_token: 'T', ...response });
        }).subscribe();
      expect(given).toEqual([undefined, 'R', 'R']);
    },
  );

  it(
    'should ask no source for a caller who leaves before it is their turn',
    marbles((m) => {
      const chain = chainsOf(m.scheduler)('s');
      const asked: string[] = [];
      const refresh = (name: string) =>
        exchange(chain, () => {
          asked.push(`${String(m.scheduler.now())} ${name}`);
          return m.cold('---(r|)', { r: { access_token: name } });
        }).pipe(map(({ response }) => response.access_token));
      m.expect(refresh('a')).toBeObservable('---(a|)');
      m.expect(refresh('b'), '^-!').toBeObservable('-');
      m.expect(refresh('c')).toBeObservable('------(c|)');
      m.flush();
      expect(asked).toEqual(['0 a', '3 c']);
    }),
  );

  it('should be one for an id also on a platform without WeakRef and FinalizationRegistry', () => {
    const { WeakRef: givenRef, FinalizationRegistry: givenRegistry } = globalThis;
    Object.assign(globalThis, { WeakRef: undefined, FinalizationRegistry: undefined });
    try {
      const chainOf = chainsOf(asapScheduler);
      expect(chainOf('s')).toBe(chainOf('s'));
      expect(chainOf('t')).not.toBe(chainOf('s'));
    } finally {
      Object.assign(globalThis, { WeakRef: givenRef, FinalizationRegistry: givenRegistry });
    }
  });

  it('should stay that of its id when the one before it is collected late', () => {
    const { WeakRef: givenRef, FinalizationRegistry: givenRegistry } = globalThis;
    let isCollected = false;
    let tellOfIt = (): void => undefined;
    class Reference {
      constructor(private readonly target: object) {}
      deref = () => (isCollected ? undefined : this.target);
    }
    class Registry {
      constructor(private readonly forget: (id: string) => void) {}
      register(_target: object, id: string) {
        tellOfIt = () => {
          this.forget(id);
        };
      }
    }
    Object.assign(globalThis, { WeakRef: Reference, FinalizationRegistry: Registry });
    try {
      const chainOf = chainsOf(asapScheduler);
      const first = chainOf('s');
      const tellOfFirst = tellOfIt;
      isCollected = true;
      const second = chainOf('s');
      isCollected = false;
      tellOfFirst();
      expect([first === second, chainOf('s') === second]).toEqual([false, true]);
    } finally {
      Object.assign(globalThis, { WeakRef: givenRef, FinalizationRegistry: givenRegistry });
    }
  });

  it(
    'should not wait for ever for an exchange whose caller has left',
    marbles((m) => {
      const chainOf = chainsOf(m.scheduler);
      const abandoned = m.cold('-');
      const next = m.cold('(r|)', { r: { access_token: 'T' } });
      m.expect(
        exchange(chainOf('s'), () => abandoned),
        '^-!',
      ).toBeObservable('-');
      m.expect(exchange(chainOf('s'), () => next)).toBeObservable('10s 2ms (r|)', {
        r: { response: { access_token: 'T' }, age: 0, origin: 'fetched' },
      });
      m.expect(abandoned).toHaveSubscriptions('^ 10001ms !');
    }),
  );

  it('should keep nothing of an exchange that comes after the sign-out', () => {
    const chain = chainsOf({ now: () => 0, schedule: () => ({ unsubscribe: () => undefined }) as never })('s');
    const [one, other] = [chain.join(), chain.join()];
    const told: string[] = [];
    one.signedOut?.subscribe(() => told.push('one'));
    other.signedOut?.subscribe(() => told.push('other'));
    exchange(chain, () => of({ access_token: 'a', refresh_token: 'R-a' }), one).subscribe();
    const answer = () => {
      one.signOut?.();
      return of({ access_token: 'b', refresh_token: 'R-b' });
    };
    exchange(chain, answer, other).subscribe();
    const given: unknown[] = [];
    const ask = (last: unknown) => {
      given.push(last);
      return NEVER;
    };
    exchange(chain, ask, one).subscribe();
    expect(told).toEqual(['other']);
    expect(given).toEqual([null]);
  });
});
