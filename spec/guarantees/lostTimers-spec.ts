import { NEVER, of, type SchedulerAction, type SchedulerLike } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import type { Context } from 'rxjs-marbles/jest';
import { takeToken, type TokenStream, type TokenStreamOptions } from 'rx-fresh-token';
import { openStream } from './rig.js';

/** A platform that drops the fetches and timers of a request once that has been answered, as Cloudflare Workers do. */
function setUp({ scheduler: virtual }: Context) {
  let isEnding = false;
  let isHanging = false;
  let asked = 0;
  const log: string[] = [];
  const tell = (what: string) => log.push(`${String(virtual.now())} ${what}`);
  const scheduler: SchedulerLike = {
    now: () => virtual.now(),
    schedule: (work, delay, state) => {
      const isDropped = isEnding;
      return virtual.schedule(
        function (this: SchedulerAction<unknown>, given) {
          if (!isDropped) work.call(this, given as never);
        },
        delay,
        state,
      );
    },
  };
  /** A request, which takes a token at the given moment. */
  const take = (ms: number, name: string, token$: TokenStream) => {
    virtual.schedule(() => {
      takeToken(token$).subscribe({
        next: ({ value }) => tell(`${name} ${value}`),
        error: (error: unknown) => tell(`${name} ${String(error)}`),
      });
    }, ms);
  };
  return {
    log,
    options: { scheduler, jitter: 0, idleTimeout: 0, fetchTimeout: 5000, backoff: { initial: 100 }, random: () => 1 },
    source: () => {
      const name = `T${String(++asked)}`;
      tell(`fetch ${name}`);
      return isHanging ? NEVER : of({ access_token: name, expires_in: 30 });
    },
    take,
    /** A request that ends in the same moment, with its timers, and with a fetch that has no answer by then. */
    takeAndEnd: (ms: number, name: string, token$: TokenStream, isAnswered = false) => {
      virtual.schedule(() => ([isEnding, isHanging] = [true, !isAnswered]), ms);
      take(ms, name, token$);
      virtual.schedule(() => (isHanging = isEnding = false), ms);
    },
  };
}

const streamOf = ({ source, options }: ReturnType<typeof setUp>, more: TokenStreamOptions = {}) =>
  openStream(source, { ...options, ...more });

describe('5: a fetch whose timer is lost', () => {
  it(
    'should not hold the requests that come after its time limit: they wait a moment for its answer',
    marbles((m) => {
      const rig = setUp(m);
      const token$ = streamOf(rig);
      rig.takeAndEnd(0, 'a', token$, true);
      rig.takeAndEnd(26_000, 'b', token$);
      rig.take(40_000, 'c', token$);
      m.flush();
      expect(rig.log).toEqual(['0 fetch T1', '0 a T1', '26000 fetch T2', '26000 b T1', '40350 fetch T3', '40350 c T3']);
    }),
  );

  it.each([
    [26_001, 31_000],
    [26_249, 31_000],
    [29_500, 31_000],
    [30_999, 31_000],
    [31_000, 31_000],
    [31_100, 31_350],
    [31_249, 31_499],
  ])(
    'should hold a request at %i ms until %i ms at most: until the end of its time limit, or a moment after that',
    (at, end) => {
      marbles((m) => {
        const rig = setUp(m);
        const token$ = streamOf(rig, { backoff: { initial: 0 } });
        rig.takeAndEnd(0, 'a', token$, true);
        rig.takeAndEnd(26_000, 'b', token$);
        token$.events.subscribe(({ type, at: told }) => {
          if (type === 'refreshFailed') rig.log.push(`${String(told)} failed`);
        });
        rig.take(at, 'c', token$);
        rig.take(31_700, 'd', token$);
        m.flush();
        expect(rig.log.filter((line) => line.includes('failed'))).toEqual([`${String(end)} failed`]);
      })();
    },
  );

  it(
    'should be given up soon, if that moment was lost, too',
    marbles((m) => {
      const rig = setUp(m);
      const token$ = streamOf(rig, { fetchTimeout: 1000 });
      rig.takeAndEnd(0, 'a', token$, true);
      for (const ms of [26_000, 27_500, 28_000]) rig.takeAndEnd(ms, 'b', token$);
      rig.take(29_500, 'c', token$);
      m.flush();
      expect(rig.log.slice(2)).toEqual([
        '26000 fetch T2',
        '26000 b T1',
        '27500 b T1',
        '28000 b T1',
        '29602 fetch T3',
        '29602 c T3',
      ]);
    }),
  );

  it(
    'should not be given up before the time limit of its store',
    marbles((m) => {
      const rig = setUp(m);
      const token$ = streamOf(rig, { store: { refresh: () => (rig.source(), NEVER) } });
      rig.takeAndEnd(0, 'a', token$);
      rig.take(10_200, 'b', token$);
      rig.take(10_300, 'c', token$);
      // The first request waits for ever.
      m.scheduler.schedule(() => {
        token$.close();
      }, 11_000);
      m.flush();
      expect(rig.log.filter((line) => line.includes('fetch'))).toEqual(['0 fetch T1', '10550 fetch T2']);
    }),
  );
});
