/** The page of cache-spec: requests to its own server, with tokens T1, T2, … */
import { createFetch, createTokenStream } from 'rx-fresh-token';

let count = 0;
const token$ = createTokenStream(() => [{ access_token: `T${String(++count)}`, expires_in: 3600 }]);
const fetchWithToken = createFetch(token$, { baseUrl: location.origin });

const page = {
  /** The statuses of two requests, one after the other. */
  ask: async (path: string, init?: Pick<RequestInit, 'cache'>): Promise<number[]> => {
    const first = await fetchWithToken(path, init);
    return [first.status, (await fetchWithToken(path, init)).status];
  },
};
export type CachePage = typeof page;
Object.assign(globalThis, { cachePage: page });
