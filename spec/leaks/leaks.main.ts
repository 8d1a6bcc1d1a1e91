// Run by leaks-spec.ts in a process of its own, with --expose-gc. Prints what is left behind, as JSON.
import { createHook } from 'node:async_hooks';
import { getEventListeners } from 'node:events';
import { defer, lastValueFrom, mergeMap, NEVER, of, range, Subscription, type Observable } from 'rxjs';
import { createFetch, createHttpClient, createTokenStream, withToken, type TokenStream } from 'rx-fresh-token';

type Job = () => Promise<void>;

// Not process.getActiveResourcesInfo, which leaves out what does not keep the process alive: most of the library's
// timers.
const running = new Set<number>();
createHook({
  init: (id, kind) => {
    if (kind === 'Timeout' || kind === 'Immediate') running.add(id);
  },
  destroy: (id) => {
    running.delete(id);
  },
}).enable();

const SOAK = process.env.SOAK === '1';
const whole = {
  streams: 10_000,
  requests: SOAK ? 1_000_000 : 200_000,
  refusals: 40_000,
  waiters: 100_000,
  aborts: 100_000,
};
const counts = { ...whole };
const tokenOf = (n: number) => ({ access_token: `token-${String(n)}`, expires_in: 3600 });
const answer = { status: 200, headers: new Headers() } as Response;
const quick = createTokenStream(() => of(tokenOf(1)));
let replaced = 0;
const refused = createTokenStream(() => of(tokenOf(++replaced)), { rejectionBudget: { max: Infinity, per: 1 } });
const never = createTokenStream(() => NEVER, { maxWait: 3_600_000, fetchTimeout: 3_600_000 });
const shared = new AbortController();

/** Some at a time, and room for whatever is queued. */
async function each(count: number, act: (n: number) => Observable<unknown>): Promise<void> {
  await lastValueFrom(range(0, count).pipe(mergeMap((n) => act(n), 64)), { defaultValue: null });
}

const jobs: Record<string, Job> = {
  /** Created, subscribed, watched, used, refused, refreshed, closed. */
  async streams() {
    let n = 0;
    await each(counts.streams, () =>
      defer(async () => {
        const token$: TokenStream = createTokenStream(() => of(tokenOf(++n)));
        token$.events.subscribe();
        token$.subscribe();
        const fetch = createFetch(token$, { baseUrl: 'https://api.example', fetch: () => Promise.resolve(answer) });
        await fetch('/orders');
        token$.reject(token$.current!);
        token$.refresh().subscribe();
        token$.close();
      }),
    );
  },
  async requests() {
    const fetch = createFetch(quick, { baseUrl: 'https://api.example', fetch: () => Promise.resolve(answer) });
    const http = createHttpClient(quick, { baseUrl: 'https://api.example', fetch: () => Promise.resolve(answer) });
    await each(counts.requests / 4, () => defer(() => fetch('/orders', { signal: shared.signal })));
    await each(counts.requests / 4, (n) => defer(() => fetch(`/orders/${String(n)}`, { method: 'DELETE' })));
    await each(counts.requests / 4, () => http.request('/orders', { signal: shared.signal }));
    await each(counts.requests / 4, (n) => withToken(quick, ({ id }) => of(id), { key: `GET /${String(n)}` }));
  },
  /** Each resource refuses a fresh token too, and is remembered for it. */
  async refusals() {
    const refusal = { status: 403, headers: new Headers() } as Response;
    const fetch = createFetch(refused, { baseUrl: 'https://api.example', fetch: () => Promise.resolve(refusal) });
    await each(counts.refusals / 2, (n) => defer(() => fetch(`/orders/${String(n)}`)));
    await each(counts.refusals / 2, (n) => withToken(refused, () => of(refusal), { key: `GET /${String(n)}` }));
  },
  async waiters() {
    const all = new Subscription();
    for (let n = 0; n < counts.waiters; n++) all.add(withToken(never, ({ id }) => of(id)).subscribe());
    await Promise.resolve();
    all.unsubscribe();
  },
  async aborts() {
    const fetch = createFetch(never, { baseUrl: 'https://api.example', fetch: () => Promise.resolve(answer) });
    for (let n = 0; n < counts.aborts; n += 1000) {
      const leaving = new AbortController();
      const calls = Array.from({ length: 1000 }, () => fetch('/orders', { signal: leaving.signal }).catch(() => null));
      leaving.abort();
      await Promise.all(calls);
    }
  },
};

/** The heap when nothing more can be freed, as far as anyone can tell. */
async function heap(): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < 6; round++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    gc!();
    least = Math.min(least, process.memoryUsage().heapUsed);
  }
  return least;
}

async function main(): Promise<void> {
  const left: Record<string, { bytes: number; timers: number; listeners: number }> = {};
  // The one that says when to look.
  await heap();
  const own = running.size;
  // Once to warm up: code that is compiled, caches of the platform.
  for (const job of Object.values(jobs)) {
    Object.assign(counts, { streams: 500, requests: 20_000, refusals: 1000, waiters: 5000, aborts: 5000 });
    await job();
  }
  Object.assign(counts, whole);
  for (const [name, job] of Object.entries(jobs)) {
    const before = { bytes: await heap(), timers: running.size };
    await job();
    left[name] = {
      bytes: (await heap()) - before.bytes,
      timers: running.size - before.timers,
      listeners: getEventListeners(shared.signal, 'abort').length,
    };
  }
  quick.close();
  refused.close();
  never.close();
  // That a timer is gone is told a turn later.
  await heap();
  process.stdout.write(JSON.stringify({ left, timersAfterClose: running.size - own }));
}

void main();
