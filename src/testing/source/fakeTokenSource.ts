/** The public function `fakeTokenSource`: plays the steps of a test in virtual time. */
import { defer, finalize, merge, of, take, tap, type Observable, type SchedulerLike } from 'rxjs';
import { TokenEndpointError } from '../../errors.js';
import { lifetimeOf } from '../../token/decisions/lifetime.js';
import { isText } from '../../internal/values/kindOf.js';
import type { TokenRequest, TokenResponse } from '../../token/types.js';
import { isError } from '../plainError.js';
import { aborted } from '../../internal/async/onAbort.js';
import { createSourceRecord, type TokenCall } from './sourceRecord.js';
import { sourceSettings, type FakeTokenSourceOptions, type TokenStep } from './sourceSettings.js';
import { createTokenRegister, type TokenRegister } from '../tokenRegister.js';

/** A token source for tests, see {@link fakeTokenSource}. It is the register of its tokens, too. */
export interface FakeTokenSource extends TokenRegister {
  (request: TokenRequest): Observable<TokenResponse>;
  /** Every call so far, in order. */
  readonly calls: readonly TokenCall[];
  readonly scheduler: SchedulerLike;
  /**
   * Throws an Error that lists what was not expected: more than `maxCalls` calls, calls made while another was under
   * way (unless `allowOverlap`), steps that were not reached, and what `latency`, `lifetime` or `names` threw.
   */
  readonly verify: () => void;
}

/**
 * A token source for tests in virtual time: each call gets the next of your `steps`, and then tokens.
 *
 * ```
 * calls    0          25 s        50 s
 * source   --a         --b         --c        latency 2, lifetime 30 s
 * token$   --a-----------b-----------c---
 * ```
 *
 * ```ts
 * const source = fakeTokenSource({ latency: 200, steps: ['transient', 'token'] });
 * const token$ = createTokenStream(source, { jitter: 0, random: () => 1 });
 * token$.pipe(take(1)).subscribe(({ value }) => {
 *   value; // 'a'
 *   source.calls.map(({ at, outcome }) => `${at} ${outcome}`); // ['0 failed', '450 token']
 *   source.verify();
 * });
 * ```
 *
 * Each call takes the next step when it is subscribed to. Failures and hanging calls use no name: the token after `a`
 * is `b`. A call that is unsubscribed from, or whose signal is aborted, is recorded as `aborted` and issues no token.
 *
 * @returns the source, with the record of its {@link FakeTokenSource.calls}
 * @throws TypeError that names an option which is out of range.
 */
export function fakeTokenSource(options: FakeTokenSourceOptions = {}): FakeTokenSource {
  const settings = sourceSettings(options);
  const { scheduler, now, steps, latency, lifetime, maxCalls, nameOf } = settings;
  const { issue, fateOf, revoke } = createTokenRegister(now);
  const { calls, callOption, begin, settle, answeredAfter, verify } = createSourceRecord(settings);
  let issued = 0;

  function nextToken(n: number): TokenResponse {
    const life = callOption(n, lifetime);
    const access_token = callOption(n, () => nameOf(++issued));
    return { access_token, token_type: 'Bearer', ...(life < Infinity && { expires_in: life / 1000 }) };
  }

  /** The answer to the nth call, which was made when the clock showed `madeAt`. */
  function answer(step: TokenStep, n: number, madeAt: number): TokenResponse {
    const response = scriptedResponse(step) ?? nextToken(n);
    // Without what floating point adds: 2.007 s are 2007 ms.
    if (isText(response.access_token))
      issue(response.access_token, madeAt + Number(lifetimeOf(response, madeAt).toFixed(6)));
    return response;
  }

  const source = (request: TokenRequest): Observable<TokenResponse> =>
    defer(() => {
      const n = calls.length + 1;
      const wait = callOption(n, latency);
      const step = n > maxCalls ? 'permanent' : (steps[n - 1] ?? 'token');
      const call = begin(request);
      const madeAt = now();
      const answer$ = defer(() => of(answer(step, n, madeAt)));
      return merge(aborted(request.signal), answeredAfter(wait, step === 'hang', answer$)).pipe(
        take(1),
        tap({
          next: ({ access_token }) =>
            Object.assign(
              call,
              isText(access_token) ? { outcome: 'token', token: access_token } : { outcome: 'failed' },
            ),
          error: () => (call.outcome = request.signal.aborted ? 'aborted' : 'failed'),
        }),
        finalize(() => settle(call, n)),
      );
    });

  return Object.assign(source, { calls, scheduler, fateOf, revoke, verify });
}

/** The response or the failure that a step spells out; undefined for the next token. */
function scriptedResponse(step: TokenStep): TokenResponse | undefined {
  if (isError(step)) throw step;
  if (step === 'transient') throw new TokenEndpointError('the fake source fails, as scripted', { status: 503 });
  if (step === 'permanent')
    throw new TokenEndpointError('the fake source fails permanently, as scripted', {
      status: 400,
      error: 'invalid_client',
    });
  return typeof step === 'object' ? step : undefined;
}
