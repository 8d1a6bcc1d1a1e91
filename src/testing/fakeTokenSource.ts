import {
  defer,
  finalize,
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
import { TokenEndpointError } from '../errors.js';
import { numbersIn } from '../internal/validate.js';
import type { RefreshReason, TokenRequest, TokenResponse } from '../token/types.js';
import { complain, leftOver, nth } from './faults.js';
import { isError } from './plainError.js';
import { clockOf, LONGEST, perCall, requireFlags, requireOptions, requireSteps } from './settings.js';
import { abortedBy } from './signals.js';
import { createLedger, type TokenRegister } from './tokenLedger.js';
import { namesOf, type TokenNames } from './tokenNames.js';

/**
 * What the source does when it is called: `'token'` yields the next one; `'transient'` fails with status 503,
 * `'permanent'` with `invalid_client`; `'hang'` never answers; an Error is thrown as it is; a response is given as it is.
 */
export type TokenStep = 'token' | 'transient' | 'permanent' | 'hang' | Error | TokenResponse;

/** All times in milliseconds. `undefined` means the default; a value out of range is a TypeError at creation. */
export interface FakeTokenSourceOptions {
  /** Where time comes from: hand in the TestScheduler. Default `asyncScheduler`, which is virtual inside `TestScheduler.run` too. */
  readonly scheduler?: SchedulerLike | undefined;
  /** The clock by which tokens end, see {@link VirtualClock.serverNow}. Default `scheduler.now()`. */
  readonly now?: (() => number) | undefined;
  /** How long an answer takes, or a function of the call's number, from 1. 0 to 2^31-1; 0 answers synchronously. Default 0. */
  readonly latency?: number | ((n: number) => number) | undefined;
  /** A token's life, counted from the call as the strictest server would, or a function of the call's number. >= 0; `Infinity` leaves `expires_in` out. Default 30 000. */
  readonly lifetime?: number | ((n: number) => number) | undefined;
  /** What to do at each call, in order. After the last step, tokens. Default none: tokens from the start. */
  readonly steps?: readonly TokenStep[] | undefined;
  /** How tokens are called. Default `'letters'`: a, b, c … as they read in a marble diagram. */
  readonly names?: TokenNames | undefined;
  /** So many calls are expected, at most: one more fails for good, and {@link FakeTokenSource.verify} tells of it. >= 0. Default `Infinity`. */
  readonly maxCalls?: number | undefined;
  /** Whether calls may overlap, because several streams share the source. One stream never does that. Default false. */
  readonly allowOverlap?: boolean | undefined;
}

/** One call of a fake source. It goes on changing until it is settled. */
export interface TokenCall {
  /** When it was made, in ms on the scheduler's clock. */
  readonly at: number;
  readonly reason: RefreshReason;
  readonly attempt: number;
  /** The value of the token to be replaced. */
  readonly previous: string | null;
  /** `aborted`: the caller left before there was an answer, by unsubscribing or by the request's signal. */
  readonly outcome: 'pending' | 'token' | 'failed' | 'aborted';
  /** The value that was answered. */
  readonly token: string | null;
  /** When it was no longer pending, in ms on the scheduler's clock. */
  readonly settledAt: number | null;
}

/** A token source for tests, see {@link fakeTokenSource}. It is the register of its tokens, too. */
export interface FakeTokenSource extends TokenRegister {
  (request: TokenRequest): Observable<TokenResponse>;
  /** Every call so far, in order. */
  readonly calls: readonly TokenCall[];
  readonly scheduler: SchedulerLike;
  /**
   * Throws an Error that lists what nobody expected: calls past `maxCalls`, calls made while another was under way
   * (unless `allowOverlap`), steps of the script that were never come to, and what `latency` or `lifetime` threw.
   */
  readonly verify: () => void;
}

type Settled = { -readonly [K in keyof TokenCall]: TokenCall[K] };

/** Without what floating point adds: 2.007 s are 2007 ms. */
const millisecondsOf = (seconds: unknown): number => Number((Number(seconds ?? Infinity) * 1000).toFixed(6));

const WORDS: readonly unknown[] = ['token', 'transient', 'permanent', 'hang'];
const isStep = (step: unknown): boolean =>
  WORDS.includes(step) ||
  isError(step) ||
  (typeof step === 'object' && step !== null && ('access_token' in step || 'error' in step));

/**
 * A token source that lives in virtual time and does what it is told.
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
 * Each call takes the next step when it is subscribed to. Failures and hanging calls use up no name: the token after `a`
 * is `b`. A call that is left, or whose signal is aborted, is recorded as such and issues no token.
 *
 * @returns the source, with the record of its {@link FakeTokenSource.calls}
 * @throws TypeError that names an option which is out of range.
 */
export function fakeTokenSource(options: FakeTokenSourceOptions = {}): FakeTokenSource {
  requireOptions(options);
  const { scheduler, now } = clockOf(options);
  const { steps = [], names = 'letters', allowOverlap = false } = options;
  const latency = perCall('latency', options.latency, 0, LONGEST);
  const lifetime = perCall('lifetime', options.lifetime, 30_000, Infinity);
  const { maxCalls } = numbersIn(options, { maxCalls: [0, Infinity, Infinity] });
  const nameOf = namesOf(names);
  requireFlags({ allowOverlap });
  requireSteps('steps', steps, isStep, '"token", "transient", "permanent", "hang", an Error or a token response');

  const ledger = createLedger(now);
  const calls: Settled[] = [];
  const faults: string[] = [];
  /** The numbers of the calls under way. */
  const pending = new Set<number>();
  let issued = 0;

  const fresh = (life: number): TokenResponse => ({
    access_token: nameOf(++issued),
    token_type: 'Bearer',
    ...(life < Infinity && { expires_in: life / 1000 }),
  });

  /** A stream takes the TypeError for a failed fetch and tries again: only `verify` can say that the test itself is wrong. */
  function inRange(option: (n: number) => number, n: number): number {
    try {
      return option(n);
    } catch (mistake) {
      faults.push(`${nth(n, scheduler.now())}: ${String(mistake)}`);
      throw mistake;
    }
  }

  /** The answer to the nth call, which was made when the clock showed `madeAt`. */
  function answer(step: TokenStep, n: number, madeAt: number): TokenResponse {
    // By its fields: in a test runner's sandbox the platform's own errors are of another realm.
    if (typeof step === 'object' && isError(step) && !('access_token' in step)) throw step;
    if (step === 'transient') throw new TokenEndpointError('the fake source fails, as scripted', { status: 503 });
    if (step === 'permanent')
      throw new TokenEndpointError('the fake source fails for good, as scripted', {
        status: 400,
        error: 'invalid_client',
      });
    const response = typeof step === 'object' ? (step as TokenResponse) : fresh(inRange(lifetime, n));
    ledger.issue(response.access_token, madeAt + millisecondsOf(response.expires_in));
    return response;
  }

  function begin({ reason, attempt, previous }: TokenRequest): Settled {
    const at = scheduler.now();
    const n = calls.length + 1;
    const [under] = pending;
    if (under !== undefined && !allowOverlap)
      faults.push(`${nth(n, at)} (${reason}) was made while call ${String(under)} was under way`);
    if (n > maxCalls) faults.push(`${nth(n, at)} (${reason}) is one too many: maxCalls is ${String(maxCalls)}`);
    const call: Settled = {
      at,
      reason,
      attempt,
      previous: previous?.value ?? null,
      outcome: 'pending',
      token: null,
      settledAt: null,
    };
    calls.push(call);
    pending.add(n);
    return call;
  }

  const source = (request: TokenRequest): Observable<TokenResponse> =>
    defer(() => {
      const n = calls.length + 1;
      const wait = inRange(latency, n);
      const step = n > maxCalls ? 'permanent' : (steps[n - 1] ?? 'token');
      const call = begin(request);
      const madeAt = now();
      const answer$ = defer(() => of(answer(step, n, madeAt)));
      const answered$ =
        step === 'hang' ? NEVER : wait === 0 ? answer$ : timer(wait, scheduler).pipe(switchMap(() => answer$));
      return merge(abortedBy(request.signal), answered$).pipe(
        take(1),
        tap({
          next: ({ access_token }) => Object.assign(call, { outcome: 'token', token: access_token }),
          error: () => (call.outcome = request.signal.aborted ? 'aborted' : 'failed'),
        }),
        finalize(() => {
          if (call.outcome === 'pending') call.outcome = 'aborted';
          call.settledAt = scheduler.now();
          pending.delete(n);
        }),
      );
    });

  return Object.assign(source, {
    calls,
    scheduler,
    fateOf: ledger.fateOf,
    revoke: ledger.revoke,
    verify: () => {
      complain('fakeTokenSource', [...faults, ...leftOver(steps.length, calls.length)]);
    },
  });
}
