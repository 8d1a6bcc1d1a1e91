import { setTimeout as pause } from 'node:timers/promises';

/** Time lost to a slow taker is made up for, but no more than this: a rate is a promise to the server. */
const ARREARS = 1_000;

/** Hands on at most `perSecond` items a second, evenly, and reads none ahead. */
export async function* paced<T>(
  items: AsyncIterable<T>,
  perSecond: number,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const interval = 1_000 / perSecond;
  let due = performance.now();
  for await (const item of items) {
    const wait = due - performance.now();
    if (wait > 0) await pause(wait, undefined, { signal });
    due = Math.max(due, performance.now() - ARREARS) + interval;
    yield item;
  }
}
