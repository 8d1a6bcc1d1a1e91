/** The public function `scriptedApi`: an API that checks tokens, and knows which calls were wrong. */
import { defer, finalize, map, of, type Observable } from 'rxjs';
import { fieldsOf } from '../../internal/values/fieldsOf.js';
import { wrong } from '../../internal/values/validate.js';
import type { AccessToken } from '../../token/types.js';
import { fetchFrom, type ApiResponse } from './apiFetch.js';
import type { Forbidden } from './apiJudge.js';
import { createApiRecord, type ApiCall } from './apiRecord.js';
import { apiSettings, type ScriptedApiOptions } from './apiSettings.js';
import type { TokenRegister } from '../tokenRegister.js';

/** An API for tests, see {@link scriptedApi}. The functions need no `this`. */
export interface ScriptedApi<T = string> {
  /** For `withToken`: cold, each subscription is one call. `path` and `method` default to `/` and `GET`. */
  readonly send: (token: Pick<AccessToken, 'value'>, path?: string, method?: string) => Observable<T>;
  /**
   * For `createFetch` and `createHttpClient`: rejects what the global fetch rejects, but takes a path alone too. The
   * token is what follows the scheme in `Authorization`.
   */
  readonly fetch: typeof globalThis.fetch;
  /** Every call so far, in order. */
  readonly calls: readonly ApiCall[];
  /** Revokes a token at once, before it expires. */
  readonly revoke: TokenRegister['revoke'];
  /** From now on this path answers 403 to every token: `bare` (the default), or `insufficient_scope`. */
  readonly forbid: (path: string, how?: Forbidden) => void;
  /** Takes {@link ScriptedApi.forbid} back. */
  readonly allow: (path: string) => void;
  /**
   * Throws an Error that lists what was not expected: more than `maxCalls` calls, steps that were not reached, what
   * `answer` or `delay` threw, and calls with no token, with one that was never issued, that had expired on arrival, or
   * whose 401 a caller had got before. A client does not know that a token was revoked until it gets the first 401, so
   * calls before that are allowed. `tolerate` makes exceptions. The order counts, not the millisecond: through `send`,
   * each call after the 401 is a fault. Through `fetch`, the same request is a fault from the next microtask on, and
   * other requests a few microtasks later, because a client with promises needs them.
   */
  readonly verify: () => void;
}

/**
 * An API for tests in virtual time. It accepts only the tokens that are valid.
 *
 * ```
 * token a   ^------------------!              revoked
 * call      a--200                            delay 2
 * call                         a--401
 * repeat                          b--200      with the token that the refresh brought
 * ```
 *
 * ```ts
 * const source = fakeTokenSource({ latency: 200 });
 * const api = scriptedApi({ tokens: source, delay: 50 });
 * const token$ = createTokenStream(source, { jitter: 0 });
 * withToken(token$, api.send).subscribe(console.log);        // 'a', 250 ms later
 * api.calls.map(({ token, outcome }) => `${token} ${outcome}`); // then: ['a 200']
 * api.verify();
 * ```
 *
 * @throws TypeError that names an option which is out of range.
 */
export function scriptedApi(
  options: ScriptedApiOptions<unknown> & { readonly responses: true },
): ScriptedApi<ApiResponse>;
export function scriptedApi<T = string>(
  options: ScriptedApiOptions<T> & { readonly responses?: false },
): ScriptedApi<T>;
export function scriptedApi<T = string>(options: ScriptedApiOptions<T>): ScriptedApi<T | ApiResponse>;
export function scriptedApi(options: ScriptedApiOptions<unknown>): ScriptedApi<unknown> {
  const settings = apiSettings(options);
  const record = createApiRecord(settings);
  const exchange = exchangeWith(settings, record);

  return {
    send: (token, path = '/', method = 'GET') =>
      // As with `fetch`: what is forbidden, and recorded, is a path.
      exchange(method, path.replace(/[?#].*/s, ''), token.value).pipe(
        map((response) => {
          const { status, headers, body } = response;
          if (settings.responses) return response;
          if (status < 300) return body;
          throw Object.assign(new Error(`the scripted API answered ${String(status)}`), { status, headers });
        }),
      ),
    fetch: fetchFrom((method, path, token) => exchange(method, path, token, true)),
    calls: record.calls,
    revoke: settings.register.revoke,
    forbid: settings.forbid,
    allow: settings.allow,
    verify: record.verify,
  };
}

/** One call, judged when it arrives and answered `delay` later. */
function exchangeWith(
  { register, steps, delay, answer, judge }: ReturnType<typeof apiSettings>,
  { calls, begin, refuse, callOption, answeredAfter }: ReturnType<typeof createApiRecord>,
) {
  /** @throws TypeError if it can be no body */
  function bodyOf(call: ApiCall, byPromise: boolean): unknown {
    const body = answer(call);
    const { bodyUsed, then } = fieldsOf(body);
    if (bodyUsed === true) throw wrong('answer', body, 'a function whose Response was not read');
    if (!byPromise) return body;
    if (typeof then === 'function') throw wrong('answer', body, 'a function that returns a body, not a Promise');
    // Fails here, where it is reported, if JSON cannot hold it.
    JSON.stringify(body);
    return body;
  }

  return (method: string, path: string, token: string | null, byPromise = false): Observable<ApiResponse> =>
    defer(() => {
      const n = calls.length + 1;
      const wait = callOption(n, delay);
      const step = steps[n - 1] ?? 'ok';
      const credential = token === null ? 'missing' : register.fateOf(token);
      const call = begin({ method, path, token, credential });
      const { status, headers } = judge(step, credential, path);
      const answer$ = defer(() => {
        if (step === 'down') {
          call.outcome = 'down';
          throw new TypeError('fetch failed');
        }
        call.outcome = status;
        if (status === 401) refuse(call, byPromise);
        const body = status < 300 ? callOption(n, () => bodyOf(call, byPromise)) : null;
        return of({ status, headers, body });
      });
      return answeredAfter(wait, step === 'hang', answer$).pipe(
        finalize(() => {
          if (call.outcome === 'pending') call.outcome = 'aborted';
        }),
      );
    });
}
