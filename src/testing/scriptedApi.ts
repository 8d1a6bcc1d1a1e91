import {
  defer,
  finalize,
  firstValueFrom,
  map,
  merge,
  NEVER,
  of,
  switchMap,
  take,
  tap,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { numbersIn, requireFunctions, wrong } from '../internal/validate.js';
import type { AccessToken } from '../token/types.js';
import { createApiRecord, type ApiCall, type OpenCall, type Tolerance } from './apiRecord.js';
import { requireApiSteps, type ApiStep } from './apiStep.js';
import {
  requireForbidden,
  requireRefusal,
  scriptedStatus,
  verdictOn,
  type Forbidden,
  type Verdict,
} from './apiVerdict.js';
import type { FakeTokenSource } from './fakeTokenSource.js';
import { complain, leftOver } from './faults.js';
import { clockOf, LONGEST, perCall, requireFlags, requireOptions, requireSteps } from './settings.js';
import { abortedBy } from './signals.js';
import { createLedger, type TokenRegister } from './tokenLedger.js';

/** All times in milliseconds. `undefined` means the default; a value out of range is a TypeError at creation. */
export interface ScriptedApiOptions<T = string> {
  /** Who issued the tokens: a {@link fakeTokenSource}, by whose word they live; or the values that are alive until they are revoked. */
  readonly tokens: FakeTokenSource | Iterable<string>;
  /** Where time comes from. Default: the source's scheduler, else `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
  /** How long an answer takes, or a function of the call's number, from 1. 0 to 2^31-1; 0 answers synchronously (`fetch` in a microtask). Default 0. */
  readonly delay?: number | ((n: number) => number) | undefined;
  /** What to do with each call, in order. After the last step `'ok'`. Default none. */
  readonly steps?: readonly ApiStep[] | undefined;
  /** How a dead token is refused: 401 with `error="invalid_token"`, or, as some APIs do, a bare 403. Default 401. */
  readonly refuseWith?: 401 | 403 | undefined;
  /** What is answered to an accepted call. `fetch` sends it as JSON, undefined as no body; a Response goes as it is. Default: the token's value. */
  readonly answer?: ((call: ApiCall) => T) | undefined;
  /** True: `send` emits Responses of its own kind, `{ status, headers, body }`, whatever the status. False: it emits the body, and errors with `{ status, headers }`. Default false. */
  readonly responses?: boolean | undefined;
  /** So many calls are expected, at most; `verify` tells of more. >= 0. Default `Infinity`. */
  readonly maxCalls?: number | undefined;
  /** What `verify` shall not mind. Default none. */
  readonly tolerate?: readonly Tolerance[] | undefined;
}

/** What `send` emits with `responses: true`. */
export interface ApiResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** An API for tests, see {@link scriptedApi}. The functions need no `this`. */
export interface ScriptedApi<T = string> {
  /** For `withToken`: cold, each subscription is one call. `path` and `method` default to `/` and `GET`. */
  readonly send: (token: Pick<AccessToken, 'value'>, path?: string, method?: string) => Observable<T>;
  /** For `createFetch` and `createHttpClient`: shaped like the global fetch. The token is what follows the scheme in `Authorization`. */
  readonly fetch: typeof globalThis.fetch;
  /** Every call so far, in order. */
  readonly calls: readonly ApiCall[];
  /** Ends a token at once, though its issuer said it would live on. */
  readonly revoke: TokenRegister['revoke'];
  /** From now on this path answers 403 to every token: `bare` (the default), or `insufficient_scope`. */
  readonly forbid: (path: string, how?: Forbidden) => void;
  /** Takes {@link ScriptedApi.forbid} back. */
  readonly allow: (path: string) => void;
  /**
   * Throws an Error that lists what nobody expected: calls past `maxCalls`, steps that were never come to, and calls
   * with no token, with one that was never issued, that had expired on arrival, or whose 401 a caller had seen before.
   * A token that was revoked behind the client's back may come until then: nobody could know. `tolerate` makes exceptions.
   * What counts is the order, not the millisecond: through `send` each call after the refusal; through `fetch` the same
   * request from the next microtask on, and others a few microtasks later, since a client of promises needs some to know.
   */
  readonly verify: () => void;
}

const TOLERANCES: readonly string[] = ['missing', 'unknown', 'expired', 'refused'];

/**
 * An API that lives in virtual time and accepts exactly the tokens that are alive.
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
  requireOptions(options);
  const {
    tokens,
    steps = [],
    refuseWith = 401,
    responses = false,
    tolerate = [],
    answer = ({ token }: ApiCall) => token,
  } = options;
  const register = registerOf(tokens);
  const { scheduler } = clockOf({
    scheduler: options.scheduler ?? (typeof tokens === 'function' ? tokens.scheduler : undefined),
  });
  const delay = perCall('delay', options.delay, 0, LONGEST);
  const { maxCalls } = numbersIn(options, { maxCalls: [0, Infinity, Infinity] });
  requireApiSteps(steps);
  requireSteps(
    'tolerate',
    tolerate,
    (kind) => TOLERANCES.includes(kind as string),
    TOLERANCES.map((kind) => `"${kind}"`).join(', '),
  );
  requireFunctions({ answer });
  requireFlags({ responses });
  requireRefusal(refuseWith);

  const forbidden = new Map<string, Forbidden>();
  const record = createApiRecord(scheduler, maxCalls, tolerate);

  function judge(step: ApiStep, { path, credential }: ApiCall): Verdict {
    return typeof step === 'number' ? scriptedStatus(step) : verdictOn(credential, forbidden.get(path), refuseWith);
  }

  function deliver(step: ApiStep, call: OpenCall, { status, headers }: Verdict, byPromise: boolean): ApiResponse {
    if (step === 'down') {
      call.outcome = 'down';
      throw new TypeError('fetch failed');
    }
    call.outcome = status;
    if (status === 401) record.tell(call, byPromise);
    return { status, headers, body: status < 300 ? answer(call) : null };
  }

  /** One call, judged when it arrives and answered `delay` later. */
  const exchange = (method: string, path: string, token: string | null, byPromise = false): Observable<ApiResponse> =>
    defer(() => {
      const n = record.calls.length + 1;
      const wait = record.inRange(delay, n);
      const step = steps[n - 1] ?? 'ok';
      const call = record.add({ method, path, token, credential: token === null ? 'missing' : register.fateOf(token) });
      const verdict = judge(step, call);
      const answer$ = defer(() => of(deliver(step, call, verdict, byPromise)));
      const answered$ =
        step === 'hang' ? NEVER : wait === 0 ? answer$ : timer(wait, scheduler).pipe(switchMap(() => answer$));
      return answered$.pipe(
        finalize(() => {
          if (call.outcome === 'pending') call.outcome = 'aborted';
        }),
      );
    });

  function fetched(input: string | URL | Request, init?: RequestInit): Observable<Response> {
    const request = typeof input === 'string' || 'href' in input ? undefined : input;
    const { pathname } = new URL(request ? request.url : (input as string | URL), 'http://localhost');
    const method = (init?.method ?? request?.method ?? 'GET').toUpperCase();
    const token = /^\S+ +(\S+)$/.exec(new Headers(init?.headers ?? request?.headers).get('authorization') ?? '')?.[1];
    const answered$ = exchange(method, pathname, token ?? null, true).pipe(map(responseOf));
    return merge(abortedBy(init?.signal ?? request?.signal), answered$).pipe(take(1));
  }

  return {
    send: (token, path = '/', method = 'GET') =>
      exchange(method, path, token.value).pipe(
        tap(({ status, headers }) => {
          if (status >= 300 && !responses)
            throw Object.assign(new Error(`the scripted API answered ${String(status)}`), { status, headers });
        }),
        map((response) => (responses ? response : response.body)),
      ),
    fetch: (input, init) => firstValueFrom(defer(() => fetched(input, init))),
    calls: record.calls,
    revoke: register.revoke,
    forbid: (path, how = 'bare') => {
      requireForbidden(path, how);
      forbidden.set(path, how);
    },
    allow: (path) => {
      forbidden.delete(path);
    },
    verify: () => {
      complain('scriptedApi', [...record.faults, ...leftOver(steps.length, record.calls.length)]);
    },
  };
}

function registerOf(tokens: FakeTokenSource | Iterable<string>): TokenRegister {
  if (typeof tokens === 'function' && typeof tokens.fateOf === 'function') return tokens;
  const range = 'a fakeTokenSource or the values of living tokens';
  if (
    typeof tokens === 'string' ||
    typeof (tokens as Partial<Iterable<string>> | undefined)?.[Symbol.iterator] !== 'function'
  )
    throw wrong('tokens', tokens, range);
  const ledger = createLedger(() => 0);
  for (const value of tokens as Iterable<string>) {
    if (typeof value !== 'string') throw wrong('tokens', value, range);
    ledger.issue(value, Infinity);
  }
  return ledger;
}

/** Statuses with which a Response may have no body. */
const BODILESS = [204, 205, 304];

function responseOf({ status, headers, body }: ApiResponse): Response {
  if (body instanceof Response) return body;
  if (body === null || body === undefined || BODILESS.includes(status)) return new Response(null, { status, headers });
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });
}
