/** The options of `fakeTokenSource`: their public types, their checks and their defaults. */
import { asyncScheduler, type SchedulerLike } from 'rxjs';
import {
  numbersIn,
  requireBoolean,
  requireFunctions,
  requireMethod,
  requireObject,
} from '../../internal/values/validate.js';
import type { TokenResponse } from '../../token/types.js';
import { isError } from '../plainError.js';
import { LONGEST, perCall, requireSteps } from '../settings.js';
import { namesOf, type TokenNames } from '../tokenNames.js';

/**
 * What the source does when it is called: `'token'` yields the next one; `'transient'` fails with status 503,
 * `'permanent'` with `invalid_client`; `'hang'` never answers; an Error is thrown as it is; a response is given as it
 * is.
 */
export type TokenStep = 'token' | 'transient' | 'permanent' | 'hang' | Error | TokenResponse;

/** All times in milliseconds. `undefined` means the default; a value out of range is a TypeError at creation. */
export interface FakeTokenSourceOptions {
  /**
   * Runs the timers: give your TestScheduler. Default `asyncScheduler`, which is virtual inside `TestScheduler.run`,
   * too.
   */
  readonly scheduler?: SchedulerLike | undefined;
  /** The clock by which tokens expire, see {@link VirtualClock.serverNow}. Default `scheduler.now()`. */
  readonly now?: (() => number) | undefined;
  /**
   * How long an answer takes, or a function of the call's number, from 1. 0 to 2^31-1; 0 answers synchronously. Default
   * 0.
   */
  readonly latency?: number | ((n: number) => number) | undefined;
  /**
   * The lifetime of a token, counted from the call, or a function of the call's number. >= 0; `Infinity` leaves
   * `expires_in` out. Default 30 000.
   */
  readonly lifetime?: number | ((n: number) => number) | undefined;
  /** What to do at each call, in order. After the last step, tokens. Default none: tokens from the start. */
  readonly steps?: readonly TokenStep[] | undefined;
  /** The values of the tokens. Default `'letters'`: a, b, c …, as in a marble diagram. */
  readonly names?: TokenNames | undefined;
  /**
   * At most this many calls are expected. One more fails permanently, and {@link FakeTokenSource.verify} reports it. >=
   * 0. Default `Infinity`.
   */
  readonly maxCalls?: number | undefined;
  /** Whether calls may overlap, because several streams share the source. One stream never does that. Default false. */
  readonly allowOverlap?: boolean | undefined;
}

const WORDS: readonly unknown[] = ['token', 'transient', 'permanent', 'hang'];
const isStep = (step: unknown): boolean =>
  WORDS.includes(step) ||
  isError(step) ||
  (typeof step === 'object' && step !== null && ('access_token' in step || 'error' in step));

/** Checks every option once. */
export function sourceSettings(options: FakeTokenSourceOptions) {
  requireObject(options);
  const {
    scheduler = asyncScheduler,
    now = () => scheduler.now(),
    latency,
    lifetime,
    steps = [],
    names = 'letters',
    allowOverlap = false,
    ...numbers
  } = options;
  requireMethod('scheduler', scheduler, 'schedule');
  requireFunctions({ now });
  requireSteps('steps', steps, isStep, '"token", "transient", "permanent", "hang", an Error or a token response');
  requireBoolean('allowOverlap', allowOverlap);
  return {
    scheduler,
    now,
    steps,
    allowOverlap,
    latency: perCall('latency', latency, 0, LONGEST),
    lifetime: perCall('lifetime', lifetime, 30_000, Infinity),
    nameOf: namesOf(names),
    ...numbersIn(numbers, { maxCalls: [0, Infinity, Infinity] }),
  };
}
