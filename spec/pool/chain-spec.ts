import { asapScheduler, from, map, NEVER, of, type Observable } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import type { StoredToken, TokenRequest, TokenResponse } from 'rx-fresh-token';
import { createChains } from '../../src/pool/chain.js';

const request = {} as TokenRequest;

describe('a chain', () => {
  it(
    'should hand each exchange the refresh token of the one before, not its access token, and know the age of what comes',
    marbles((m) => {
      const chainOf = createChains(m.scheduler);
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
      m.expect(from(chainOf('s').join().refresh(request, fetch('a')))).toBeObservable('--(a|)', values);
      m.expect(from(chainOf('s').join().refresh(request, fetch('b')))).toBeObservable('----(b|)', values);
      // Another session does not wait.
      m.expect(from(chainOf('t').join().refresh(request, fetch('a')))).toBeObservable('--(a|)', values);
      m.flush();
      expect(given).toEqual([null, null, { access_token: '', refresh_token: 'R-a' }]);
    }),
  );

  it.each([{}, { refresh_token: '' }])(
    'should go on with the refresh token that it has when an exchange brings no other: %j',
    (brought) => {
      const chain = createChains(asapScheduler)('s');
      const given: unknown[] = [];
      for (const response of [{ refresh_token: 'R' }, brought, {}])
        from(
          chain.join().refresh(request, (last) => {
            given.push(last?.refresh_token);
            return of({ access_token: 'T', ...response });
          }),
        ).subscribe();
      expect(given).toEqual([undefined, 'R', 'R']);
    },
  );

  it(
    'should ask no source for a caller who leaves before it is their turn',
    marbles((m) => {
      const chain = createChains(m.scheduler)('s');
      const asked: string[] = [];
      const refresh = (name: string) =>
        from(
          chain.join().refresh(request, () => {
            asked.push(`${String(m.scheduler.now())} ${name}`);
            return m.cold('---(r|)', { r: { access_token: name } });
          }),
        ).pipe(map(({ response }) => response.access_token));
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
      const chainOf = createChains(asapScheduler);
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
      const chainOf = createChains(asapScheduler);
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
      const chainOf = createChains(m.scheduler);
      const abandoned = m.cold('-');
      const next = m.cold('(r|)', { r: { access_token: 'T' } });
      m.expect(
        from(
          chainOf('s')
            .join()
            .refresh(request, () => abandoned),
        ),
        '^-!',
      ).toBeObservable('-');
      m.expect(
        from(
          chainOf('s')
            .join()
            .refresh(request, () => next),
        ),
      ).toBeObservable('10s 2ms (r|)', {
        r: { response: { access_token: 'T' }, age: 0, origin: 'fetched' },
      });
      m.expect(abandoned).toHaveSubscriptions('^ 10001ms !');
    }),
  );

  it('should keep nothing of an exchange that comes after the sign-out', () => {
    const chainOf = createChains({ now: () => 0, schedule: () => ({ unsubscribe: () => undefined }) as never });
    const [one, other] = [chainOf('s').join(), chainOf('s').join()];
    const told: string[] = [];
    one.signedOut?.subscribe(() => told.push('one'));
    other.signedOut?.subscribe(() => told.push('other'));
    from(one.refresh(request, () => of({ access_token: 'a', refresh_token: 'R-a' }))).subscribe();
    from(
      other.refresh(request, () => {
        one.signOut?.();
        return of({ access_token: 'b', refresh_token: 'R-b' });
      }),
    ).subscribe();
    const given: unknown[] = [];
    from(
      one.refresh(request, (last) => {
        given.push(last);
        return NEVER;
      }),
    ).subscribe();
    expect(told).toEqual(['other']);
    expect(given).toEqual([null]);
  });
});
