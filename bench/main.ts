import { bench, do_not_optimize, run, summary } from 'mitata';
import { firstValueFrom, of } from 'rxjs';
import { createFetch, createHttpClient, createTokenStream, withToken, type TokenResponse } from 'rx-fresh-token';
import { fleet } from './fleet.js';
import { renewals } from './renewals.js';
import { waiters } from './waiters.js';

const response: TokenResponse = { access_token: 'a-token-of-some-forty-characters-in-length', expires_in: 3600 };
const url = 'https://api.example.com/orders';
const token$ = createTokenStream(() => of(response), { initial: response });
const stub = (() => Promise.resolve(new Response('{}'))) as typeof fetch;
const ridden = createFetch(token$, { baseUrl: url, fetch: stub });
const http = createHttpClient(token$, { baseUrl: url, fetch: stub });
const header = { authorization: `Bearer ${response.access_token}` };
const value$ = of(1);

interface Timing {
  readonly alias: string;
  readonly runs: readonly { readonly stats?: { readonly avg: number; readonly p50: number } }[];
}

summary(() => {
  bench('bare stub with a static header', async () => do_not_optimize(await stub(url, { headers: header })));
  bench('createFetch on a fresh token', async () => do_not_optimize(await ridden(url)));
  bench('http.request on a fresh token', async () => do_not_optimize(await firstValueFrom(http.request(url))));
});
summary(() => {
  bench('synchronous source', () => {
    value$.subscribe(do_not_optimize);
  });
  bench('withToken over it', () => {
    withToken(token$, () => value$).subscribe(do_not_optimize);
  });
});

const { benchmarks } = (await run()) as unknown as { benchmarks: readonly Timing[] };
const p50 = (alias: string): number => benchmarks.find((timing) => timing.alias === alias)?.runs[0]?.stats?.p50 ?? NaN;
const bare = p50('bare stub with a static header');
const more = (ns: number) => `${(ns / 1000).toFixed(2)} microseconds more per call`;

console.log(`
createFetch / bare stub    ${(p50('createFetch on a fresh token') / bare).toFixed(2)} x, ${more(p50('createFetch on a fresh token') - bare)}  (promise: 1.3 x)
http.request               ${more(p50('http.request on a fresh token') - bare)}  (promise: 4)
withToken                  ${more(p50('withToken over it') - p50('synchronous source'))}  (promise: 3)`);
token$.close();

renewals(1_000_000);
await waiters([25_000, 50_000, 100_000]);
await fleet();
