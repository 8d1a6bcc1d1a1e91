import { from, NEVER, of, type Observable } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import type { StoredToken, TokenRequest, TokenResponse } from 'rx-fresh-token';
import { createChains } from '../../src/pool/chain.js';

const request = {} as TokenRequest;

describe('a chain', () => {
  it(
    'should hand each exchange the refresh token of the one before, and know the age of what comes',
    marbles((m) => {
      const chainOf = createChains(m.scheduler);
      const given: unknown[] = [];
      const fetch =
        (name: string) =>
        (last?: TokenResponse | null): Observable<TokenResponse> => {
          given.push(last?.refresh_token ?? null);
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
      expect(given).toEqual([null, null, 'R-a']);
    }),
  );

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
