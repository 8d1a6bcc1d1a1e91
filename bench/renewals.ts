import { of, VirtualTimeScheduler } from 'rxjs';
import { createTokenStream } from 'rx-fresh-token';

const heap = (): number => {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};

/** Heap growth over `count` renewals in virtual time. */
export function renewals(count: number): void {
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
    scheduler.maxFrames = goal * 25_000;
    scheduler.flush();
  };
  renewTo(10_000);
  const before = heap();
  const start = performance.now();
  renewTo(count + 10_000);
  const seconds = (performance.now() - start) / 1000;
  const grown = heap() - before;
  subscription.unsubscribe();
  console.log(
    `${String(seen)} renewals in virtual time   ${((seconds * 1e6) / count).toFixed(1)} microseconds each (promise: 25), heap grew by ${(grown / 1024).toFixed(0)} kB (promise: under 1024)`,
  );
}
