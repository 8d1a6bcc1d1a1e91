/** The options of `scriptedApi`: their public type, their checks and their defaults. */
import { asyncScheduler, type SchedulerLike } from 'rxjs';
import {
  numbersIn,
  requireBoolean,
  requireFunctions,
  requireMethod,
  requireObject,
  wrong,
} from '../../internal/values/validate.js';
import type { ApiCall, Tolerance } from './apiRecord.js';
import { createJudge, requireApiSteps, type ApiStep } from './apiJudge.js';
import type { FakeTokenSource } from '../source/fakeTokenSource.js';
import { LONGEST, perCall, requireWords } from '../settings.js';
import { createTokenRegister, type TokenRegister } from '../tokenRegister.js';

/** All times in milliseconds. `undefined` means the default; a value out of range is a TypeError at creation. */
export interface ScriptedApiOptions<T = string> {
  /**
   * Who issues the tokens: a {@link fakeTokenSource}, which knows their lifetimes, or a list of values that are valid
   * until they are revoked.
   */
  readonly tokens: FakeTokenSource | Iterable<string>;
  /** Runs the timers. Default: the source's scheduler, otherwise `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
  /**
   * How long an answer takes, or a function of the call's number, from 1. 0 to 2^31-1; 0 answers synchronously (`fetch`
   * in a microtask). Default 0.
   */
  readonly delay?: number | ((n: number) => number) | undefined;
  /** What to do with each call, in order. After the last step `'ok'`. Default none. */
  readonly steps?: readonly ApiStep[] | undefined;
  /** The answer to an invalid token: 401 with `error="invalid_token"`, or, as some APIs do, a bare 403. Default 401. */
  readonly refuseWith?: 401 | 403 | undefined;
  /**
   * What is answered to an accepted call. `fetch` sends it as JSON, undefined as no body; a Response goes as it is.
   * Default: the token's value.
   */
  readonly answer?: ((call: ApiCall) => T) | undefined;
  /**
   * True: `send` emits Responses of its own kind, `{ status, headers, body }`, whatever the status. False: it emits the
   * body, and errors with `{ status, headers }`. Default false.
   */
  readonly responses?: boolean | undefined;
  /** At most this many calls are expected; `verify` reports more. >= 0. Default `Infinity`. */
  readonly maxCalls?: number | undefined;
  /** Faults that `verify` does not report. Default none. */
  readonly tolerate?: readonly Tolerance[] | undefined;
}

/** Checks every option once. */
export function apiSettings(options: ScriptedApiOptions<unknown>) {
  requireObject(options);
  const {
    tokens,
    scheduler: own,
    delay,
    steps = [],
    refuseWith,
    answer = ({ token }: ApiCall) => token,
    responses = false,
    tolerate = [],
    ...numbers
  } = options;
  // First: a name that does not exist may be that of a required option, misspelt.
  const limits = numbersIn(numbers, { maxCalls: [0, Infinity, Infinity] });
  const register = registerOf(tokens);
  const scheduler = own ?? (tokens as Partial<FakeTokenSource>).scheduler ?? asyncScheduler;
  requireMethod('scheduler', scheduler, 'schedule');
  requireApiSteps(steps);
  requireWords('tolerate', tolerate, ['missing', 'unknown', 'expired', 'refused'] satisfies Tolerance[]);
  requireFunctions({ answer });
  requireBoolean('responses', responses);
  return {
    register,
    scheduler,
    delay: perCall('delay', delay, 0, LONGEST),
    steps,
    ...createJudge(refuseWith),
    answer,
    responses,
    tolerate,
    ...limits,
  };
}

function registerOf(tokens: FakeTokenSource | Iterable<string>): TokenRegister {
  if (typeof tokens === 'function' && typeof tokens.fateOf === 'function') return tokens;
  const range = 'a fakeTokenSource or the values of valid tokens';
  const values = tokens as Partial<Iterable<unknown>> | string | undefined;
  if (typeof values === 'string' || typeof values?.[Symbol.iterator] !== 'function')
    throw wrong('tokens', tokens, range);
  const register = createTokenRegister(() => 0);
  for (const value of values as Iterable<unknown>) {
    if (typeof value !== 'string') throw wrong('tokens', value, range);
    register.issue(value, Infinity);
  }
  return register;
}
