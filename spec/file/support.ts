import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, from, map, timer, type Observable } from 'rxjs';
import type { AccessToken, RefreshReason, StoredToken, TokenResponse, TokenStore } from 'rx-fresh-token';
import { accessToken } from '../../src/token/decisions/accessToken.js';

export { until } from '../until.js';

/** A folder of each test's own. */
export function ownFolder(): { readonly path: string; readonly file: string } {
  const place = { path: '', file: '' };
  beforeEach(() => {
    place.path = mkdtempSync(join(tmpdir(), 'file-store-'));
    place.file = join(place.path, 'token.json');
  });
  afterEach(() => {
    // A store may be writing still, as after a sign-out.
    rmSync(place.path, { recursive: true, maxRetries: 10, retryDelay: 20 });
  });
  return place;
}

type Fetch = (last?: TokenResponse | null) => Observable<TokenResponse>;

/** A server that rotates: it answers T1 and R1, T2 and R2, … after `latency` ms, and notes what it was handed. */
export function rotatingSource({ latency = 1, expires_in = 3600 } = {}) {
  const handed: (string | undefined)[] = [];
  const fetch: Fetch = (last) => {
    handed.push(last?.refresh_token);
    const n = String(handed.length);
    return timer(latency).pipe(map(() => ({ access_token: `T${n}`, refresh_token: `R${n}`, expires_in })));
  };
  return { handed, fetch };
}

export const ask = (
  store: TokenStore,
  fetch: Fetch,
  previous: AccessToken | null = null,
  reason: RefreshReason = previous ? 'scheduled' : 'initial',
  report: (failure: unknown) => void = () => undefined,
): Promise<StoredToken> =>
  firstValueFrom(
    from(store.refresh({ reason, attempt: 1, previous, signal: new AbortController().signal, report }, fetch)),
  );

export const tokenOf = ({ response, age }: StoredToken): AccessToken =>
  accessToken(response, Date.now() - age, 3_600_000);

export const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
