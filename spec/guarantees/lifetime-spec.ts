import { of, Subject } from 'rxjs';
import { cases, marbles } from 'rxjs-marbles/jest';
import { takeToken, type TokenResponse, type TokenStream } from 'rx-fresh-token';
import { jwt, openStream, setUp } from './rig.js';

const MIN = 60_000;
const minutes = (asked: string[]): number[] => asked.map((entry) => parseInt(entry) / MIN);

describe('30: a token is as old as it says, and never gets younger', () => {
  cases(
    'by the claims of a JWT whose response says no life',
    (m, { claims, at = 1000, lives }) => {
      const { token$ } = setUp(m, () => ({ took: 0, life: 'unknown', value: jwt(claims) }), {
        now: () => at * 1000 + m.scheduler.now(),
      });
      token$.subscribe().unsubscribe();
      const { issuedAt, expiresAt } = token$.current!;
      expect((expiresAt - issuedAt) / 1000).toBe(lives);
      token$.close();
    },
    [
      { name: 'issued 50 minutes ago: 10 of 60 minutes are left', claims: { iat: 0, exp: 3600 }, at: 3000, lives: 600 },
      { name: 'issued just now', claims: { iat: 1000, exp: 4600 }, lives: 3600 },
      { name: 'issued in the future, by a clock of ours that is slow', claims: { iat: 1500, exp: 5100 }, lives: 3600 },
      { name: 'over, by a clock of ours that is fast', claims: { iat: 0, exp: 900 }, lives: 900 },
      { name: 'issued in milliseconds', claims: { iat: 1_000_000, exp: 4600 }, lives: 3600 },
      { name: 'issued at the moment of its end', claims: { iat: 4600, exp: 4600 }, lives: 3600 },
      { name: 'by clocks that differ by years', claims: { iat: 1e9, exp: 1e9 + 60 }, lives: 60 },
      { name: 'that does not say since when', claims: { exp: 1600 }, lives: 600 },
    ] as { name: string; claims: object; at?: number; lives: number }[],
  );

  it(
    'when a source that caches gives the same JWT until its end',
    marbles((m) => {
      // 60 minutes each. The source gives a new one when the old one is over.
      const value = () => {
        const iat = Math.floor(m.scheduler.now() / (60 * MIN)) * 3600;
        return jwt({ iat, exp: iat + 3600 });
      };
      const rig = setUp(m, () => ({ life: 'unknown', value: value() }), { idleTimeout: Infinity });
      const watching = rig.token$.subscribe();
      const ends: string[] = [];
      for (const min of [1, 54, 59, 61, 119, 121])
        rig.at(min * MIN, () => {
          const current = rig.token$.current;
          ends.push(`${String(min)}: ${String(current && current.expiresAt / MIN)}`);
        });
      rig.at(122 * MIN, () => watching.unsubscribe());
      rig.at(122 * MIN, () => rig.token$.close());
      m.flush();
      expect(ends).toEqual(['1: 60', '54: 60', '59: 60', '61: 120', '119: 120', '121: 180']);
      // It is asked when the token is due, and rarer than once a second until it is over.
      expect(minutes(rig.asked)[1]).toBe(55);
      expect(rig.asked.length).toBeLessThan(40);
    }),
  );

  cases(
    'exp - iat, when the next token comes as old as the one before, and less than half remains',
    (m, { ahead }) => {
      const value = () => {
        const iat = Math.floor(m.scheduler.now() / 1000);
        return jwt({ iat, exp: iat + 60 });
      };
      const rig = setUp(m, () => ({ life: 'unknown', value: value() }), { now: () => m.scheduler.now() + ahead });
      const watching = rig.token$.subscribe();
      rig.at(10 * MIN, () => watching.unsubscribe());
      rig.at(10 * MIN, () => rig.token$.close());
      m.flush();
      expect(rig.asked.length).toBeLessThan(16);
    },
    [-90, -10, 0, 35, 50, 57, 58, 59, 61].map((seconds) => ({
      name: `by a clock that is ahead by ${String(seconds)} of 60 s`,
      ahead: seconds * 1000,
    })),
  );

  it(
    'and exp - now, when half or more remains: the issuer dates its tokens back',
    marbles((m) => {
      const value = () => {
        const now = Math.floor(m.scheduler.now() / 1000);
        return jwt({ iat: now - 300, exp: now + 3600 });
      };
      const rig = setUp(m, () => ({ took: 0, life: 'unknown', value: value() }));
      const left: number[] = [];
      for (const n of [0, 1, 2])
        rig.at(n * MIN, () => {
          rig.token$.refresh().subscribe(({ issuedAt, expiresAt }) => left.push((expiresAt - issuedAt) / 1000));
        });
      rig.at(3 * MIN, () => rig.token$.close());
      m.flush();
      expect(left).toEqual([3600, 3600, 3600]);
    }),
  );

  it(
    'and exp - now, when it comes at another age: the source caches',
    marbles((m) => {
      const ages = [1000, 0, 2000, 1997, 500];
      const rig = setUp(
        m,
        (n) => {
          const iat = 1e6 + (n - 1) * 60 - ages[n - 1]!;
          return { took: 0, life: 'unknown', value: jwt({ iat, exp: iat + 3600 }) };
        },
        { now: () => 1e9 + m.scheduler.now() },
      );
      const left: number[] = [];
      for (const n of ages.keys())
        rig.at(n * MIN, () => {
          rig.token$.refresh().subscribe(({ issuedAt, expiresAt }) => left.push((expiresAt - issuedAt) / 1000));
        });
      rig.at(5 * MIN, () => rig.token$.close());
      m.flush();
      expect(left).toEqual(ages.map((age) => 3600 - age));
    }),
  );

  cases(
    'when the same token comes again',
    (m, { life, ends }) => {
      const rig = setUp(m, (n) => ({ took: 0, value: 'same', life: n === 1 ? 3600 : life }));
      rig.ask(0, 'a');
      rig.at(54 * MIN, () => rig.token$.refresh().subscribe());
      rig.after(54 * MIN, () => expect(rig.token$.current!.expiresAt / MIN).toBe(ends));
      rig.at(54 * MIN + 1, () => rig.token$.close());
      m.flush();
    },
    [
      { name: 'with an expires_in, which is believed', life: 3600, ends: 114 },
      { name: 'with less than before', life: 60, ends: 55 },
      { name: 'with what is left of it', life: 360, ends: 60 },
      { name: 'without expires_in', life: 'unknown', ends: 60 },
      { name: 'with an expires_in that cannot be read', life: '3600s', ends: 60 },
    ],
  );

  cases(
    'when the same token comes again, and the option lifetime says how long it lives',
    (m, { life }) => {
      const lifetime = jest.fn(({ ends }: TokenResponse) =>
        life === 'left' ? Number(ends) - m.scheduler.now() : life,
      );
      const rig = setUp(m, () => ({ took: 0, response: { access_token: 'same', ends: m.scheduler.now() + MIN } }), {
        lifetime,
      });
      for (let second = 0; second < 600; second++) rig.ask(second * 1000, 'a');
      rig.at(600_000, () => rig.token$.close());
      m.flush();
      // Due after 50 s. Nobody waits for it.
      expect(rig.asked).toEqual(['0 initial', ...[...Array(11).keys()].map((n) => `${(n + 1) * 50_000} scheduled`)]);
      expect(rig.log).toHaveLength(600);
      expect(lifetime).toHaveBeenCalledTimes(12);
    },
    [
      { name: 'as a constant', life: MIN },
      { name: 'by what is left', life: 'left' },
    ] as { name: string; life: number | 'left' }[],
  );

  it(
    'but not if the option lifetime leaves it to the response',
    marbles((m) => {
      const rig = setUp(m, (n) => ({ took: 0, value: 'same', life: n === 1 ? 60 : 'unknown' }), {
        lifetime: () => undefined,
      });
      rig.ask(0, 'a');
      rig.at(30_000, () => rig.token$.refresh().subscribe());
      rig.after(30_000, () => expect(rig.token$.current!.expiresAt).toBe(MIN));
      rig.at(30_001, () => rig.token$.close());
      m.flush();
    }),
  );

  cases(
    'when the same token comes again after the clock was set back',
    (m, { setAt, by, took = 0 }) => {
      let offset = 0;
      const value = jwt({ iat: 0, exp: 30 });
      const rig = setUp(m, (n) => ({ took: n === 1 ? took : 0, life: 'unknown', value }), {
        now: () => offset + m.scheduler.now(),
        refreshBefore: 0,
        expiryMargin: 0,
      });
      const watching = rig.token$.subscribe();
      rig.at(setAt, () => (offset = -by));
      rig.at(20_000, () => rig.token$.refresh().subscribe());
      rig.after(29_999, () => expect(rig.token$.current?.value).toBe(value));
      rig.after(30_000, () => expect(rig.token$.current).toBeNull());
      rig.at(30_001, () => watching.unsubscribe());
      m.flush();
    },
    [
      { name: 'by an hour', setAt: 10_000, by: 3_600_000 },
      { name: 'by a few seconds', setAt: 10_000, by: 5000 },
      { name: 'before it came, by less than the fetch took', setAt: 1000, by: 2000, took: 4000 },
      { name: 'before it came, by more than the fetch took', setAt: 1000, by: 9000, took: 4000 },
    ] as { name: string; setAt: number; by: number; took?: number }[],
  );

  it(
    'so that the same token again is renewed, over and expired at the moments that it had',
    marbles((m) => {
      const value = jwt({ iat: 0, exp: 30 });
      const rig = setUp(
        m,
        (n) => (n < 3 ? { took: 0, life: 'unknown', value } : { took: 0, fail: new Error('down') }),
        {
          random: () => 1,
          expiryMargin: 1000,
        },
      );
      const watching = rig.token$.subscribe({ error: () => undefined });
      rig.at(20_000, () => rig.token$.refresh().subscribe());
      rig.at(28_999, () => expect(rig.token$.current?.value).toBe(value));
      rig.at(29_000, () => expect(rig.token$.current).toBeNull());
      rig.at(31_000, () => watching.unsubscribe());
      m.flush();
      // 10 s of it were left when it came again.
      expect(rig.asked.slice(0, 3)).toEqual(['0 initial', '20000 manual', '28333 scheduled']);
      expect(rig.events.filter((event) => event.includes('tokenExpired'))).toEqual([`30000 tokenExpired ${value}`]);
    }),
  );

  it(
    'and a source that goes on giving it while it is due is asked after half of the time that is left, at least 1 s',
    marbles((m) => {
      const value = jwt({ iat: 0, exp: 60 });
      let offset = 0;
      const rig = setUp(m, () => ({ took: 0, life: 'unknown', value }), {
        now: () => offset + m.scheduler.now(),
        random: () => 0,
        expiryMargin: 1000,
      });
      const watching = rig.token$.subscribe();
      // The clock is set back, so that the claims would let it live longer each time.
      rig.at(10_000, () => (offset = -3_600_000));
      rig.at(59_000, () => watching.unsubscribe());
      rig.at(59_000, () => rig.token$.close());
      m.flush();
      // It is over at 59 s.
      expect(rig.asked.map((entry) => parseInt(entry))).toEqual([0, 50_000, 54_500, 56_750, 57_875, 58_875]);
    }),
  );

  it(
    'so that a token that is due as it comes expires when its life is over',
    marbles((m) => {
      const rig = setUp(m, (n) => (n === 1 ? { took: 1500, life: 2 } : { took: 5000, fail: new Error('down') }));
      rig.ask(0, 'a');
      m.flush();
      expect(rig.events.filter((event) => event.includes('tokenExpired'))).toEqual(['2000 tokenExpired T1']);
    }),
  );

  describe('by the default clocks', () => {
    beforeEach(() => {
      jest.useFakeTimers({ now: Date.parse('2026-01-01T12:00:00Z') });
    });
    afterEach(() => {
      jest.useRealTimers();
    });

    it.each<[string, number, number, number]>([
      ['an hour', -3_600_000, 500, 1500],
      ['a few seconds', -5000, 500, 1500],
      ['nothing', 0, 500, 1500],
      ['an hour, while the fetch takes longer', -3_600_000, 1200, 800],
    ])('when the system clock is set back by %s during the fetch', (_kind, by, took, left) => {
      const answer = new Subject<TokenResponse>();
      const token$: TokenStream = openStream(() => answer, { expiryMargin: 0, refreshBefore: 0, idleTimeout: 0 });
      takeToken(token$).subscribe();
      jest.advanceTimersByTime(took);
      jest.setSystemTime(Date.now() + by);
      answer.next({ access_token: 'T1', expires_in: 2 });
      jest.advanceTimersByTime(left - 2);
      expect(token$.current?.value).toBe('T1');
      jest.advanceTimersByTime(2);
      expect(token$.current).toBeNull();
      token$.close();
    });

    it.each([3_600_000, 5000, 0])(
      'when the system clock is set back by %s ms before the same token comes again',
      (by) => {
        const value = jwt({ iat: Date.now() / 1000, exp: Date.now() / 1000 + 30 });
        const token$ = openStream(() => of({ access_token: value }), { expiryMargin: 0, refreshBefore: 0 });
        takeToken(token$).subscribe();
        jest.advanceTimersByTime(10_000);
        jest.setSystemTime(Date.now() - by);
        token$.refresh().subscribe();
        jest.advanceTimersByTime(19_990);
        expect(token$.current?.value).toBe(value);
        jest.advanceTimersByTime(10);
        expect(token$.current).toBeNull();
        token$.close();
      },
    );
  });

  it(
    'and a source whose tokens cannot be kept is told once',
    marbles((m) => {
      const rig = setUp(m, () => ({ life: -5, took: 0 }));
      const watching = rig.token$.subscribe();
      rig.at(10_500, () => watching.unsubscribe());
      m.flush();
      expect(rig.asked).toHaveLength(11);
      expect(rig.events.filter((event) => event.includes('refreshFailed'))).toEqual([
        '0 refreshFailed !InvalidTokenResponseError 1 1000',
      ]);
      expect(rig.events.filter((event) => event.includes('tokenChanged'))).toHaveLength(11);
    }),
  );

  cases(
    'and expiryMargin takes half a life at most',
    (m, { expiryMargin, life, over }) => {
      const rig = setUp(m, () => ({ took: 0, life }), { expiryMargin, idleTimeout: 0 });
      rig.ask(0, 'a');
      rig.ask(over - 1, 'b');
      rig.ask(over, 'c');
      m.flush();
      expect(rig.log[1]).toBe(`${over - 1} b T${rig.asked[1] === `${over - 1} scheduled` ? 2 : 1}`);
      expect(rig.asked.length).toBeLessThanOrEqual(3);
      expect(rig.events.filter((event) => event.includes('refreshFailed'))).toEqual([]);
    },
    [
      { name: 'as long as the life', expiryMargin: 30_000, life: 30, over: 15_000 },
      { name: 'longer than the life', expiryMargin: MIN, life: 2, over: 1000 },
      { name: 'a second less than the life', expiryMargin: 29_000, life: 30, over: 15_000 },
      { name: 'less than half', expiryMargin: 14_000, life: 30, over: 16_000 },
    ],
  );

  it(
    'and a life that nobody knows is not made up',
    marbles((m) => {
      const rig = setUp(m, () => ({ took: 0, response: { access_token: 'opaque', expires_in: '' } }));
      rig.ask(0, 'a');
      rig.ask(1000, 'b');
      rig.ask(24 * 60 * MIN, 'c');
      m.flush();
      expect(rig.asked).toEqual(['0 initial']);
      expect(rig.log).toHaveLength(3);
    }),
  );

  cases(
    'and a lifetime that cannot be read is told once',
    (m, { fields }) => {
      const rig = setUp(m, (n) => ({ took: 0, response: { access_token: `T${n}`, ...fields } }));
      rig.at(0, () => rig.token$.refresh().subscribe());
      rig.at(1000, () => rig.token$.refresh().subscribe());
      rig.at(2000, () => rig.token$.close());
      m.flush();
      expect(rig.events.filter((event) => event.includes('refreshFailed'))).toEqual(
        'scope' in fields || fields.expires_in === Infinity
          ? []
          : ['0 refreshFailed !InvalidTokenResponseError 1 null'],
      );
    },
    [
      { name: 'a date', fields: { expires_at: '2026-11-28T00:00:00Z' } },
      { name: "a client's own name", fields: { expiresIn: 30 } },
      { name: 'the name of Go', fields: { expiry: '2026-11-28T00:00:00Z' } },
      { name: "that of AWS' metadata", fields: { Expiration: '2026-11-28T00:00:00Z' } },
      { name: 'that of a token of ours', fields: { token_expiry: '2026-11-28T00:00:00Z' } },
      { name: 'the name of Vault', fields: { lease_duration: 3600 } },
      { name: "TikTok's name", fields: { access_token_expire_in: 3600 } },
      { name: 'a name with that of the token', fields: { access_token_expires_in: 3600 } },
      { name: 'a name of OAuth libraries', fields: { accessTokenExpiresAt: '2026-11-28T00:00:00Z' } },
      { name: 'a name of AppAuth', fields: { accessTokenExpirationDate: '2026-11-28T00:00:00Z' } },
      { name: 'an end of validity', fields: { valid_until: 1_764_374_400 } },
      { name: 'a validity', fields: { validity: 3600 } },
      { name: 'a time to live', fields: { ttl: 3600 } },
      { name: 'a claim beside the token', fields: { exp: 1_764_374_400 } },
      { name: 'a claim that is no number', fields: { access_token: jwt({ exp: '1764374400' }) } },
      { name: 'a number and a unit', fields: { expires_in: '30s' } },
      { name: 'a date that could not be parsed', fields: { expires_in: NaN } },
      { name: 'not where there is none', fields: { scope: 'a' } },
      { name: 'not where it has no end', fields: { scope: 'a', lease_duration: 0 } },
      { name: 'not where a name only resembles it', fields: { scope: 'a', experiment: 'x', battle: 1, valid: true } },
      { name: 'not that of the refresh token', fields: { scope: 'a', refresh_token_expires_in: 5 } },
      { name: 'not where it is without end', fields: { expires_in: Infinity } },
    ] as { name: string; fields: Record<string, unknown> }[],
  );

  it(
    'and so is that of the option initial',
    marbles((m) => {
      const rig = setUp(m, undefined, { initial: { access_token: 'I', expires_at: 30 } as TokenResponse });
      m.flush();
      expect(rig.events.slice(0, 2)).toEqual([
        '0 tokenChanged - I initial 0 initial',
        '0 refreshFailed !InvalidTokenResponseError 1 null',
      ]);
      rig.token$.close();
    }),
  );

  it('and an initial token that is over is not used', () => {
    const now = () => 5_000_000;
    const initial = { access_token: jwt({ iat: 0, exp: 3600 }) };
    const token$ = openStream(() => of({ access_token: 'T1', expires_in: 30 }), { initial, now });
    expect(token$.current).toBeNull();
    token$.close();
  });
});
