import type { SchedulerLike } from 'rxjs';
import { numbersIn, refuseUnknown, requireFunctions, requireObject, wrong } from '../internal/validate.js';
import type { ApiCall, Tolerance } from './apiRecord.js';
import { requireApiSteps, type ApiStep } from './apiStep.js';
import { requireRefusal } from './apiVerdict.js';
import type { FakeTokenSource } from './fakeTokenSource.js';
import { clockOf, LONGEST, perCall, requireFlags, requireSteps } from './settings.js';
import { createLedger, type TokenRegister } from './tokenLedger.js';

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

const KNOWN: Record<keyof ScriptedApiOptions, true> = {
  tokens: true,
  scheduler: true,
  delay: true,
  steps: true,
  refuseWith: true,
  answer: true,
  responses: true,
  maxCalls: true,
  tolerate: true,
};

const TOLERANCES: readonly string[] = ['missing', 'unknown', 'expired', 'refused'];

/** Checks every option once. */
export function apiSettings(options: ScriptedApiOptions<unknown>) {
  requireObject(options);
  refuseUnknown(options, KNOWN);
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
  const { maxCalls } = numbersIn({ maxCalls: options.maxCalls }, { maxCalls: [0, Infinity, Infinity] });
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
  return { register, scheduler, delay, maxCalls, steps, tolerate, answer, responses, refuseWith };
}

function registerOf(tokens: FakeTokenSource | Iterable<string>): TokenRegister {
  if (typeof tokens === 'function' && typeof tokens.fateOf === 'function') return tokens;
  const range = 'a fakeTokenSource or the values of valid tokens';
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
