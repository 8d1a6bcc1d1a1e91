import { of, VirtualTimeScheduler } from 'rxjs';
import { createTokenStream } from 'rx-fresh-token';

const heap = (): number => {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};

/** With a life of 30 s and no jitter, a token is renewed after 25 s. */
const PERIOD = 25;
const YEAR = 365 * 86_400;

/** A year of 30 s tokens in virtual time: how long it takes, and how much the heap grows. */
export function renewals(count = YEAR / PERIOD): void {
  if (!globalThis.gc) throw new Error('run with --expose-gc');
  const scheduler = new VirtualTimeScheduler();
  let fetched = 0;
  const token$ = createTokenStream(() => of({ access_token: `token-${String(++fetched)}`, expires_in: 30 }), {
    scheduler,
    jitter: 0,
  });
  let seen = 0;
  const subscription = token$.subscribe(() => seen++);
  const renewTo = (goal: number): void => {
    scheduler.maxFrames = goal * PERIOD * 1000;
    scheduler.flush();
  };
  renewTo(10_000);
  const before = heap();
  const warm = seen;
  const start = performance.now();
  renewTo(count + 10_000);
  const seconds = (performance.now() - start) / 1000;
  const grown = heap() - before;
  subscription.unsubscribe();
  console.log(
    `a year of 30 s tokens in virtual time: ${String(seen - warm)} renewals in ${seconds.toFixed(1)} s  (promise: 30), ${((seconds * 1e6) / count).toFixed(1)} microseconds each, heap grew by ${(grown / 1024).toFixed(0)} kB  (promise: under 1024)`,
  );
}
