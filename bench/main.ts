import { bench, do_not_optimize, run, summary } from 'mitata';
import { firstValueFrom, from, of } from 'rxjs';
import { createFetch, createHttpClient, createTokenStream, withToken, type TokenResponse } from 'rx-fresh-token';
import { fleet } from './fleet.js';
import { renewals } from './renewals.js';
import { pool } from './pool.js';
import { waiters } from './waiters.js';

const response: TokenResponse = { access_token: 'a-token-of-some-forty-characters-in-length', expires_in: 3600 };
const origin = 'https://api.example.com';
const url = `${origin}/orders`;
const token$ = createTokenStream(() => of(response), { initial: response });
const stub = (() => Promise.resolve(new Response('{}'))) as typeof fetch;
const fetchWithToken = createFetch(token$, { baseUrl: origin, fetch: stub });
const http = createHttpClient(token$, { baseUrl: origin, fetch: stub });

// Calls as people make them: a method, two headers, a JSON body, a signal.
const { signal } = new AbortController();
const body = JSON.stringify({ item: 'tea', amount: 2 });
const authorization = `Bearer ${response.access_token}`;
const headers = () => ({ 'content-type': 'application/json', accept: 'application/json' });
const init = () => ({ method: 'POST', headers: headers(), body, signal });
const authorized = () => ({ method: 'POST', headers: { ...headers(), authorization }, body, signal });

interface Timing {
  readonly alias: string;
  readonly runs: readonly { readonly stats?: { readonly avg: number; readonly p50: number } }[];
}

const timed = {
  bare: 'bare stub with a static header',
  createFetch: 'createFetch on a fresh token',
  request: 'http.request on a fresh token',
  bareJson: 'bare stub, and its JSON',
  get: 'http.get on a fresh token',
  promise: 'a promise as an Observable',
  withToken: 'withToken over a promise',
} as const;

summary(() => {
  bench(timed.bare, async () => do_not_optimize(await stub(url, authorized())));
  bench(timed.createFetch, async () => do_not_optimize(await fetchWithToken(url, init())));
  bench(timed.request, async () => do_not_optimize(await firstValueFrom(http.request(url, init()))));
});
summary(() => {
  bench(timed.bareJson, async () => do_not_optimize((await (await stub(url, authorized())).json()) as unknown));
  bench(timed.get, async () => do_not_optimize(await firstValueFrom(http.get(url, { headers: headers(), signal }))));
});
summary(() => {
  bench(timed.promise, async () => do_not_optimize(await firstValueFrom(from(Promise.resolve(1)))));
  bench(timed.withToken, async () =>
    do_not_optimize(await firstValueFrom(token$.pipe(withToken(() => Promise.resolve(1))))),
  );
});

const { benchmarks } = (await run()) as unknown as { benchmarks: readonly Timing[] };
const p50 = (alias: string): number => benchmarks.find((timing) => timing.alias === alias)?.runs[0]?.stats?.p50 ?? NaN;
const more = (name: keyof typeof timed, than: keyof typeof timed) =>
  `${((p50(timed[name]) - p50(timed[than])) / 1000).toFixed(2)} microseconds more per call`;

console.log(`
createFetch / bare stub    ${(p50(timed.createFetch) / p50(timed.bare)).toFixed(2)} x, ${more('createFetch', 'bare')}  (promise: 1.35 x, 1)
http.request               ${more('request', 'bare')}  (promise: 5)
http.get                   ${more('get', 'bareJson')}  (promise: 5)
withToken                  ${more('withToken', 'promise')}  (promise: 3)`);
token$.close();

renewals();
await waiters([25_000, 50_000, 100_000]);
await pool();
await fleet();
