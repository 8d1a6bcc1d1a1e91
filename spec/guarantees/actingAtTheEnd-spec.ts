/* eslint rxjs-x/throw-error: off -- the token endpoint refuses with a status */
import { NEVER, Observable, of, Subject, switchMap, throwError, timer } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { withToken, type StoredToken, type TokenStore } from 'rx-fresh-token';
import { answer, setUp } from './rig.js';

const refused = { status: 400, error: 'invalid_grant' };

it(
  '36: subscribers with a usable token stay, when a listener signs out as the source fails permanently',
  marbles((m) => {
    const rig = setUp(m, (n) => ({ life: 3600, ...(n === 2 && { fail: refused }) }));
    rig.token$.events.subscribe((event) => {
      if (event.type === 'refreshFailed') rig.token$.signOut();
    });
    rig.tell('s', rig.token$);
    rig.at(1000, () => {
      rig.tell('r', rig.token$.refresh());
    });
    rig.ask(2000, 'next session');
    rig.at(3000, () => {
      rig.token$.close();
    });
    m.flush();
    expect(rig.log.slice(0, 2)).toEqual(['200 s T1', '1200 r !TokenUnavailableError']);
    expect(rig.log.slice(2).sort()).toEqual(['2200 next session T3', '2200 s T3']);
  }),
);

it(
  '26: a request whose rejection makes a listener close the stream ends at once, with its rejection',
  marbles((m) => {
    const rig = setUp(m, () => ({ life: 1 }), { idleTimeout: 50 });
    rig.token$.events.subscribe((event) => {
      if (event.type === 'tokenRejected') rig.token$.close();
    });
    // The answer comes when the token is over and the stream is idle.
    rig.at(0, () => {
      const late$ = timer(3000, m.scheduler).pipe(switchMap(() => of(answer(401))));
      rig.tell(
        'a',
        withToken(rig.token$, () => late$),
      );
    });
    const pending = rig.pendingAt(3200);
    m.flush();
    expect(rig.log).toEqual(['3200 a 401']);
    expect(pending.count).toBe(0);
  }),
);

/** A store that counts who listens to it. */
function countingStore(changes: Observable<StoredToken> = NEVER) {
  const counting = { listeners: 0 };
  const store: TokenStore = {
    changes: new Observable<StoredToken>((subscriber) => {
      counting.listeners++;
      subscriber.add(() => counting.listeners--);
      subscriber.add(changes.subscribe(subscriber));
    }),
    refresh: (_request, fetch) =>
      fetch().pipe(switchMap((response) => of({ response, age: 0, origin: 'fetched' as const }))),
  };
  return { counting, store };
}

it.each([
  ['the rejection of a request', false],
  ['reject()', true],
])('6: a stream is idle again after %s, once its source has failed permanently', (_name, isDirect) => {
  marbles((m) => {
    const { counting, store } = countingStore();
    const rig = setUp(m, (n) => ({ life: 1, ...(n > 1 && { fail: refused }) }), { store, idleTimeout: 50 });
    const late$ = timer(2900, m.scheduler).pipe(switchMap(() => throwError(() => ({ status: 401 }))));
    rig.at(0, () => {
      rig.tell(
        'slow',
        withToken(rig.token$, (token) => {
          if (isDirect)
            rig.at(3100, () => {
              rig.token$.reject(token);
            });
          return isDirect ? NEVER : late$;
        }),
      );
    });
    rig.ask(2800, 'a');
    const listening: number[] = [];
    for (const ms of [2900, 3300])
      rig.after(ms, () => {
        listening.push(counting.listeners);
      });
    m.flush();
    expect(rig.asked).toHaveLength(2);
    expect(listening).toEqual([1, 0]);
  })();
});

it(
  '6: requests in the pause after a failed renewal do not end the subscription to the store, without an idleTimeout',
  marbles((m) => {
    const changes = new Subject<StoredToken>();
    const { store } = countingStore(changes);
    const busy = { status: 503, headers: { 'retry-after': '60' } };
    const rig = setUp(m, (n) => ({ life: 60, ...(n > 1 && { fail: busy }) }), { store, idleTimeout: 0 });
    for (const ms of [0, 51_000, 53_000]) rig.ask(ms, 'a');
    rig.at(54_000, () => {
      changes.next({ response: { access_token: 'pushed', expires_in: 60 }, age: 0, origin: 'shared' });
    });
    rig.ask(62_000, 'b');
    rig.at(63_000, () => {
      rig.token$.close();
    });
    m.flush();
    expect(rig.log).toEqual(['200 a T1', '51000 a T1', '53000 a T1', '62000 b pushed']);
  }),
);

it(
  '3: a token that is used once goes to all who wait for it, though the first one rejects it in vain',
  marbles((m) => {
    const rig = setUp(m, (n) => ({ took: 10, value: 'T1', life: n === 1 ? 60 : 0 }), { rejectionBudget: { max: 0 } });
    rig.ask(0, 'first');
    rig.at(1000, () => {
      rig.token$.refresh().subscribe((token) => {
        rig.token$.reject(token);
      });
      rig.tell('second', rig.token$.refresh());
    });
    rig.at(2000, () => {
      rig.token$.close();
    });
    m.flush();
    expect(rig.log).toEqual(['10 first T1', '1010 second T1']);
  }),
);

it(
  '26: a token that a store pushes while the end of the stream is told is not taken up',
  marbles((m) => {
    const changes = new Subject<StoredToken>();
    const { store } = countingStore(changes);
    const rig = setUp(m, () => ({ life: 60 }), { store });
    rig.token$.subscribe({
      complete: () => {
        changes.next({ response: { access_token: 'late', expires_in: 60 }, age: 0, origin: 'shared' });
      },
    });
    const held: unknown[] = [];
    rig.at(1000, () => {
      rig.token$.close();
      held.push(rig.token$.current);
    });
    m.flush();
    expect(held).toEqual([null]);
  }),
);
