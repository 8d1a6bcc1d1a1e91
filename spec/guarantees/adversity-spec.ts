/* eslint rxjs-x/throw-error: off -- sources throw what they like */
import { BehaviorSubject, defer, firstValueFrom, map, of, Subject, throwError } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { createFetch, withToken } from 'rx-fresh-token';
import { answer, openStream, setUp } from './rig.js';

const HOUR = 3_600_000;

describe('5: a wake', () => {
  it(
    'may emit at once, at creation and when an idle stream wakes up',
    marbles((m) => {
      const wake = new BehaviorSubject(0);
      const started = setUp(m, undefined, { initial: { access_token: 'I', expires_in: 30 }, wake });
      expect(started.token$.current?.value).toBe('I');
      const idle = setUp(m, undefined, { wake, idleTimeout: 0 });
      idle.ask(0, 'a');
      idle.ask(27_000, 'b');
      idle.at(28_000, () => {
        idle.token$.reject(idle.token$.current!);
      });
      idle.at(29_000, () => {
        idle.token$.close();
      });
      idle.at(29_000, () => {
        started.token$.close();
      });
      m.flush();
      expect(idle.log).toEqual(['200 a T1', '27000 b T1']);
      expect(idle.asked).toEqual(['0 initial', '27000 scheduled', '28000 rejected']);
    }),
  );

  it(
    'should tell of its error by an event, and end nothing',
    marbles((m) => {
      const rig = setUp(m, undefined, { wake: throwError(() => new Error('wake')) });
      rig.ask(0, 'a');
      rig.at(1000, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.log).toEqual(['200 a T1']);
      expect(rig.events[0]).toBe('0 refreshFailed !Error wake 1 null');
    }),
  );

  it(
    'should end a pause that was slept through, even if nobody was there when the fetch failed',
    marbles((m) => {
      let slept = 0;
      const wake = new Subject<void>();
      const rig = setUp(m, (n) => (n === 1 ? { fail: { status: 503, retryAfter: HOUR } } : {}), {
        wake,
        now: () => m.scheduler.now() + slept,
        maxWait: 2 * HOUR,
      });
      rig.at(0, () => {
        rig.token$.subscribe().unsubscribe();
      });
      rig.ask(1000, 'a');
      rig.at(2000, () => {
        slept = HOUR;
        wake.next();
      });
      m.flush();
      expect(rig.log).toEqual(['2200 a T2']);
    }),
  );
});

describe('6: nobody is interested', () => {
  it(
    'should be so after a failure for good: the wake is let go, and not taken up for those whom it fails at once',
    marbles((m) => {
      const wake = new Subject<void>();
      let listened = 0;
      const rig = setUp(m, () => ({ took: 0, fail: { status: 400 } }), { wake: defer(() => (listened++, wake)) });
      rig.ask(0, 'a');
      rig.ask(100, 'b');
      const watched: boolean[] = [];
      for (const ms of [50, 150]) rig.at(ms, () => watched.push(wake.observed));
      m.flush();
      expect([watched, listened]).toEqual([[false, false], 1]);
      expect(rig.events).toEqual(['0 refreshStarted initial 1', '0 refreshFailed !400 1 null for good']);
      expect(rig.log).toHaveLength(2);
    }),
  );

  it(
    'should be so in the end for a token of unknown life, too: attempts to replace it stop',
    marbles((m) => {
      const rig = setUp(m, (n) => (n === 1 ? { took: 0, life: 'unknown' } : { took: 0, fail: new Error('down') }));
      rig.at(0, () => {
        rig.tell(
          'a',
          withToken(rig.token$, () => of(answer(401))),
        );
      });
      rig.at(HOUR, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.log).toEqual(['0 a 401']);
      expect(rig.asked.length).toBeGreaterThan(3);
      expect(Math.max(...rig.asked.map((line) => parseInt(line)))).toBeLessThanOrEqual(60_000);
    }),
  );
});

describe('11: a server that says when to come again', () => {
  it(
    'should be believed by its own clock, where it tells it',
    marbles((m) => {
      // The server's clock is an hour ahead.
      const headers = { 'retry-after': new Date(HOUR + 8000).toUTCString(), date: new Date(HOUR).toUTCString() };
      const rig = setUp(m, (n) => (n === 1 ? { took: 0, fail: { status: 503, headers } } : { took: 0 }));
      rig.ask(0, 'a');
      m.flush();
      expect(rig.log).toEqual(['8000 a T2']);
    }),
  );

  it(
    'should be believed after a failure for good, too',
    marbles((m) => {
      const rig = setUp(m, (n) => (n === 1 ? { took: 0, fail: { status: 403, retryAfter: 5000 } } : { took: 0 }), {
        idleTimeout: 0,
      });
      for (const [index, ms] of [0, 1000, 4999, 5000].entries()) rig.ask(ms, String(index));
      m.flush();
      expect(rig.asked).toEqual(['0 initial', '5000 initial']);
      expect(rig.log.at(-1)).toBe('5000 3 T2');
    }),
  );
});

it(
  '13: should take an error for one beside an empty token',
  marbles((m) => {
    const rig = setUp(m, () => ({ took: 0, response: { access_token: '', error: 'invalid_grant' } }));
    rig.ask(0, 'a');
    m.flush();
    expect(rig.log).toEqual(['0 a !TokenUnavailableError(!TokenEndpointError)']);
  }),
);

it(
  '14: should say which attempt brought a dead renewal, and when the next one comes',
  marbles((m) => {
    const rig = setUp(
      m,
      (n) => (n === 2 ? { took: 0, fail: new Error('down') } : { took: 100, life: n === 3 ? 0 : 30 }),
      { random: () => 0 },
    );
    rig.at(0, () => {
      rig.tell('s', rig.token$);
    });
    rig.at(28_000, () => {
      rig.token$.close();
    });
    m.flush();
    expect(rig.events.filter((line) => line.includes('Failed'))).toEqual([
      '25000 refreshFailed !Error down 1 50',
      '25150 refreshFailed !InvalidTokenResponseError 2 900',
    ]);
    expect(rig.asked).toEqual(['0 initial', '25000 scheduled', '25050 scheduled #2', '26050 scheduled']);
  }),
);

it(
  '1: should survive dice that are broken',
  marbles((m) => {
    const rig = setUp(m, undefined, { jitter: 0.2, random: () => NaN });
    rig.at(0, () => {
      rig.tell('s', rig.token$);
    });
    rig.at(30_000, () => {
      rig.token$.close();
    });
    m.flush();
    expect(rig.asked).toEqual(['0 initial', '25000 scheduled']);
  }),
);

describe('16: a repeat', () => {
  it('should free the connection of the Response that nobody will read', async () => {
    let n = 0;
    const cancelled: number[] = [];
    const token$ = openStream(() => of({ access_token: `T${String(++n)}`, expires_in: 60 }));
    const send = (status: number) =>
      new Response(new ReadableStream({ cancel: () => void cancelled.push(status) }), { status });
    const response = await firstValueFrom(withToken(token$, ({ value }) => of(send(value === 'T1' ? 401 : 200))));
    expect(response.status).toBe(200);
    expect(cancelled).toEqual([401]);
  });
});

it(
  '18: should count a forced refresh when it is made, not when it was thought of',
  marbles((m) => {
    let slept = 0;
    const wake = new Subject<void>();
    const rig = setUp(m, (n) => ({ took: 0, life: n === 2 ? 0 : 60 }), {
      wake,
      now: () => m.scheduler.now() + slept,
      rejectionBudget: { max: 1, per: 5000 },
    });
    const reject = (ms: number) => {
      rig.at(ms, () => {
        rig.token$.reject(rig.token$.current!);
      });
    };
    rig.at(0, () => {
      rig.tell('s', rig.token$);
    });
    rig.at(1000, () => {
      rig.token$.refresh().subscribe();
    });
    // What that brought cannot be kept: no fetch for a second.
    reject(1100);
    rig.at(1200, () => {
      slept = 10_000;
      wake.next();
    });
    reject(6199);
    reject(6200);
    rig.at(7000, () => {
      rig.token$.close();
    });
    m.flush();
    expect(rig.asked).toEqual(['0 initial', '1000 manual', '1200 rejected', '6200 rejected']);
    expect(rig.events.filter((line) => line.includes('Rejected'))).toEqual([
      '1100 tokenRejected T1 refreshing',
      '16199 tokenRejected T3 suppressed',
      '16200 tokenRejected T3 refreshing',
    ]);
  }),
);

describe('22: secrets', () => {
  it(
    'should not be in the event of a token that was rejected as a plain object',
    marbles((m) => {
      const rig = setUp(m, () => ({ took: 0 }));
      const told: string[] = [];
      rig.token$.events.pipe(map((event) => JSON.stringify(event))).subscribe((line) => told.push(line));
      rig.ask(0, 'a');
      rig.at(10, () => {
        rig.token$.reject({ value: 'canary', type: 'Bearer' } as never);
      });
      rig.at(20, () => {
        rig.token$.reject({ value: 'T1', type: 'Bearer' } as never);
      });
      rig.at(30, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.events.filter((line) => line.includes('Rejected'))).toEqual([
        '10 tokenRejected canary alreadyReplaced',
        '20 tokenRejected T1 refreshing',
      ]);
      expect(told.join()).not.toMatch(/canary|"T1"/);
    }),
  );

  it('should not be quoted of a referrer that cannot be parsed', async () => {
    const token$ = openStream(() => of({ access_token: 'T1', expires_in: 60 }));
    const failed: unknown = await createFetch(token$, { baseUrl: 'http://127.0.0.1:9' })('/', {
      referrer: 'http://[bad?key=canary',
    }).catch((error: unknown) => error);
    expect(failed).toEqual(new TypeError('the referrer cannot be parsed'));
    expect((failed as Error).cause).toBeUndefined();
  });
});
