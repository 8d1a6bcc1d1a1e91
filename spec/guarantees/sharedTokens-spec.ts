import { catchError, map, NEVER, of, Subject, switchMap, take, throwError, timer } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import {
  createTokenStream,
  takeToken,
  withToken,
  type StoredToken,
  type TokenStream,
  type TokenStreamOptions,
} from 'rx-fresh-token';
import { ON_CLOSE } from '../../src/internal/hiddenMembers.js';
import { errorText, setUp } from './rig.js';

describe('a store that pushes', () => {
  const stored = (access_token: string, age: number): StoredToken => ({
    response: { access_token, expires_in: 30 },
    age,
    origin: 'shared',
  });

  function pushed(
    scheduler: Parameters<typeof setUp>[0]['scheduler'],
    fails: (n: number) => boolean = () => false,
    options: TokenStreamOptions = {},
  ) {
    const changes = new Subject<StoredToken>();
    const asked: number[] = [];
    const events: string[] = [];
    const hook = jest.fn();
    const source = Object.assign(() => of({ access_token: 'S', expires_in: 30 }), { [ON_CLOSE]: hook });
    const token$ = createTokenStream(source, {
      scheduler,
      jitter: 0,
      random: () => 1,
      ...options,
      store: {
        changes,
        refresh: () => (
          asked.push(scheduler.now()),
          fails(asked.length)
            ? timer(10, scheduler).pipe(switchMap(() => throwError(() => new Error('down'))))
            : of(stored('T1', 1000))
        ),
      },
    });
    token$.events.subscribe((event) => {
      if (event.type === 'tokenChanged') events.push(`${event.token.value} ${event.reason} ${event.origin}`);
    });
    return { token$, changes, asked, events, hook };
  }

  it(
    'should not end the fetch of a session that began in a listener of the second attempt of the one before',
    marbles((m) => {
      const changes = new Subject<StoredToken>();
      const signals: AbortSignal[] = [];
      const token$ = createTokenStream(() => NEVER, {
        scheduler: m.scheduler,
        random: () => 0,
        store: {
          changes,
          refresh: ({ signal }) =>
            signals.push(signal) === 1
              ? throwError(() => new Error('down'))
              : timer(500, m.scheduler).pipe(map(() => stored('T', 0))),
        },
      });
      const values: string[] = [];
      const take = () =>
        takeToken(token$)
          .pipe(catchError(() => of({ value: 'none' })))
          .subscribe(({ value }) => values.push(value));
      token$.events.subscribe((event) => {
        if (event.type !== 'refreshStarted' || event.attempt === 1) return;
        token$.signOut();
        take();
      });
      take();
      timer(100, m.scheduler).subscribe(() => changes.next(stored('P', 0)));
      timer(101, m.scheduler).subscribe(() => expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]));
      timer(600, m.scheduler).subscribe(() => token$.close());
      m.flush();
      expect(values).toEqual(['none', 'P']);
    }),
  );

  it(
    'should not bring back a token that is older than the one at hand, but another of the same age',
    marbles((m) => {
      const { token$, changes, events } = pushed(m.scheduler);
      const watching = token$.subscribe();
      changes.next(stored('older', 1001));
      expect(token$.current?.value).toBe('T1');
      changes.next(stored('other', 1000));
      expect(token$.current?.value).toBe('other');
      expect(events).toEqual(['T1 initial shared', 'other scheduled shared']);
      watching.unsubscribe();
      token$.close();
    }),
  );

  it(
    'should replace a token that was rejected, or that refresh() was called for, in the pause after a failure',
    marbles((m) => {
      for (const act of [
        (token$: TokenStream) => token$.reject(token$.current!),
        (token$: TokenStream) => token$.refresh().subscribe(),
      ]) {
        const { token$, changes, asked } = pushed(m.scheduler, (n) => n === 2, { idleTimeout: 0 });
        token$.subscribe().unsubscribe();
        m.scheduler.schedule(() => token$.refresh().subscribe().unsubscribe(), 1000);
        m.scheduler.schedule(() => {
          act(token$);
        }, 1050);
        m.scheduler.schedule(() => changes.next(stored('T2', 0)), 1100);
        m.scheduler.schedule(() => {
          expect(token$.current?.value).toBe('T2');
          expect(asked).toHaveLength(2);
          token$.close();
        }, 3000);
      }
    }),
  );

  it(
    'should not end the pause after a failure with the token that is at hand already',
    marbles((m) => {
      const { token$, changes, asked } = pushed(m.scheduler, (n) => n > 1);
      token$.subscribe({ error: () => undefined });
      m.scheduler.schedule(() => {
        changes.next(stored('T1', 25_050));
      }, 24_050);
      m.scheduler.schedule(() => {
        token$.close();
      }, 24_700);
      m.flush();
      expect(asked).toEqual([0, 24_000, 24_260]);
    }),
  );

  it(
    'should not be asked for a token once it has shared one, when the pause after a failure is over already',
    marbles((m) => {
      let slept = 0;
      const busy = Object.assign(new Error('busy'), { retryAfter: 10_000 });
      const changes = new Subject<StoredToken>();
      const asked: number[] = [];
      const token$ = createTokenStream(() => NEVER, {
        scheduler: m.scheduler,
        now: () => m.scheduler.now() + slept,
        store: { changes, refresh: () => (asked.push(m.scheduler.now()), throwError(() => busy)) },
      });
      const log: string[] = [];
      token$.subscribe(({ value }) => log.push(`${m.scheduler.now()} ${value}`));
      m.scheduler.schedule(() => {
        // No timer has told the stream yet.
        slept = 20_000;
        changes.next(stored('theirs', 0));
      }, 100);
      m.scheduler.schedule(() => {
        token$.close();
      }, 15_000);
      m.flush();
      expect([asked, log]).toEqual([[0], ['100 theirs']]);
    }),
  );

  it(
    'should not pass for the answer of the source, when it shares the token at hand again while the source is asked',
    marbles((m) => {
      const { token$, changes } = pushed(m.scheduler, (n) => n === 2);
      const outcomes: string[] = [];
      token$.events.subscribe((event) => {
        if (event.type === 'tokenRejected') outcomes.push(event.outcome);
      });
      const log: string[] = [];
      token$.subscribe();
      const forbidden = withToken(token$, () => of({ status: 403, headers: new Headers(), body: null }), { key: 'r' });
      m.scheduler.schedule(() => {
        forbidden.subscribe();
        token$.refresh().subscribe(({ value }) => log.push(`${m.scheduler.now()} ${value}`));
      }, 1000);
      m.scheduler.schedule(() => {
        changes.next(stored('T1', 2005));
      }, 1005);
      // The attempt has failed at 1010. The resource is not remembered: nobody knows yet whether another token helps.
      m.scheduler.schedule(() => forbidden.subscribe(), 1020);
      m.scheduler.schedule(() => {
        token$.close();
      }, 1500);
      m.flush();
      expect(outcomes).toEqual(['refreshing', 'refreshing']);
      expect(log).toEqual(['1260 T1']);
    }),
  );

  it(
    'should keep nobody from the token that came, when it is shared again while the first is given it',
    marbles((m) => {
      const changes = new Subject<StoredToken>();
      const token$ = createTokenStream(() => NEVER, {
        scheduler: m.scheduler,
        store: { changes, refresh: () => timer(100, m.scheduler).pipe(map(() => stored('T1', 1000))) },
      });
      const log: string[] = [];
      takeToken(token$).subscribe(({ value }) => {
        log.push(`a ${value}`);
        changes.next(stored('T1', 1000));
      });
      takeToken(token$).subscribe(({ value }) => log.push(`b ${value}`));
      m.scheduler.schedule(() => {
        token$.close();
      }, 200);
      m.flush();
      expect(log).toEqual(['a T1', 'b T1']);
    }),
  );

  it(
    'should not cut off a fetch that is under way, whose token may be newer still',
    marbles((m) => {
      const changes = new Subject<StoredToken>();
      const signals: AbortSignal[] = [];
      const token$ = createTokenStream(
        ({ signal }) => (
          signals.push(signal),
          timer(500, m.scheduler).pipe(map(() => ({ access_token: 'mine', expires_in: 30 })))
        ),
        {
          scheduler: m.scheduler,
          jitter: 0,
          store: {
            changes,
            refresh: (_request, fetch) =>
              fetch().pipe(map((response) => ({ response, age: 500, origin: 'fetched' as const }))),
          },
        },
      );
      const log: string[] = [];
      token$.subscribe(({ value }) => log.push(`${m.scheduler.now()} ${value}`));
      m.scheduler.schedule(() => {
        changes.next(stored('theirs', 600));
      }, 200);
      m.scheduler.schedule(() => {
        token$.close();
      }, 1000);
      m.flush();
      expect(log).toEqual(['200 theirs', '500 mine']);
      expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    }),
  );

  it(
    'should keep its token when the stream closes: that is not for this one to revoke',
    marbles((m) => {
      const { token$, hook } = pushed(m.scheduler);
      token$.pipe(take(1)).subscribe();
      token$.close();
      expect(hook).not.toHaveBeenCalled();
    }),
  );

  it(
    'may fetch twice in one refresh, with what it kept each time',
    marbles((m) => {
      const lasts: unknown[] = [];
      const token$ = createTokenStream(
        ({ last }) => (
          lasts.push(last?.access_token),
          lasts.length === 1 ? throwError(() => new Error('down')) : of({ access_token: 'T1', expires_in: 30 })
        ),
        {
          scheduler: m.scheduler,
          store: {
            refresh: (_request, fetch) =>
              fetch({ access_token: 'first' }).pipe(
                catchError(() => fetch({ access_token: 'second' })),
                map((response) => ({ response, age: 0, origin: 'fetched' as const })),
              ),
          },
        },
      );
      const log: string[] = [];
      token$
        .pipe(take(1))
        .subscribe({ next: ({ value }) => log.push(value), error: (error: unknown) => log.push(errorText(error)) });
      expect([log, lasts]).toEqual([['T1'], ['first', 'second']]);
      token$.close();
    }),
  );
});

describe('a store that shares', () => {
  it(
    '3 and 25: a store that shares an expired token is not asked in a loop within one moment',
    marbles((m) => {
      let n = 0;
      const token$ = createTokenStream(() => of(), {
        scheduler: m.scheduler,
        jitter: 0,
        store: {
          refresh: () =>
            ++n > 50
              ? new Subject<never>()
              : of({ response: { access_token: 'X', expires_in: 1 }, age: 5000, origin: 'shared' as const }),
        },
      });
      const s = token$.subscribe();
      m.scheduler.schedule(() => s.unsubscribe(), 3000);
      m.scheduler.schedule(() => token$.close(), 3000);
      m.flush();
      expect(n).toBeLessThan(5);
    }),
  );
});
