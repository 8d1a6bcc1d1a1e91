/** Checks the options of a stream, and fills in the defaults. */
import { asyncScheduler, type Observable } from 'rxjs';
import { browserWake } from '../internal/time/browserWake.js';
import { clockOf } from '../internal/time/steadyClock.js';
import {
  FINITE,
  numbersIn,
  requireFunctions,
  requireMethod,
  requireObject,
  wrong,
} from '../internal/values/validate.js';
import { isPermanentFailure } from '../answers/isPermanentFailure.js';
import { fitsHeader } from '../answers/tokenResponse.js';
import type { TokenStreamOptions } from './types.js';

/** The options with every default that does not depend on a token. */
export type Settings = ReturnType<typeof settingsOf>;

/** Subscribes to an attempt when its turn has come. */
export type InTurn = <T>(attempt$: Observable<T>) => Observable<T>;

const withoutTurns: InTurn = (attempt$) => attempt$;

export function settingsOf(options: TokenStreamOptions) {
  requireObject(options);
  const {
    scheduler = asyncScheduler,
    wake = browserWake(),
    refreshBefore,
    lifetime,
    store,
    tokenType,
    isPermanent = isPermanentFailure,
    random = Math.random,
    now = () => scheduler.now(),
    backoff,
    rejectionBudget,
    ...numbers
  } = options;
  requireFunctions({ isPermanent, lifetime, random, now });
  requireMethod('scheduler', scheduler, 'schedule');
  // Sums with a Date or a text are texts, and NaN is neither before nor after anything.
  if (!Number.isFinite(now())) throw wrong('now', now(), 'a clock in milliseconds');
  requireMethod('wake', wake, 'subscribe');
  requireMethod('store', store, 'refresh');
  if (tokenType !== undefined && !(typeof tokenType === 'string' && fitsHeader(tokenType)))
    throw wrong('tokenType', tokenType, 'visible ASCII');
  return {
    scheduler,
    /** Not an option: a pool bounds by it how many of its streams ask their sources at once. */
    inTurn: withoutTurns,
    tokenType,
    wake,
    store,
    isPermanent,
    lifetime,
    random,
    /** The clock that a user sees. */
    userNow: now,
    /** Never set back: decisions about a token are made by it. */
    clock: clockOf({ scheduler, now }),
    refreshBefore: refreshBeforeOf(refreshBefore),
    ...numbersIn(
      options,
      {
        expiryMargin: [0, FINITE],
        jitter: [0, 1, 0.2],
        idleTimeout: [0, Infinity],
        fetchTimeout: [1, FINITE, 10_000],
        maxWait: [0, Infinity, 30_000],
      },
      '',
      // Not kept among the settings: it is a secret.
      { ...numbers, initial: undefined },
    ),
    backoff: numbersIn(backoff, { initial: [0, FINITE, 250], max: [0, FINITE], factor: [1, FINITE, 2] }, 'backoff.'),
    rejectionBudget: numbersIn(
      rejectionBudget,
      { max: [0, Infinity, 10], per: [1, FINITE, 60_000] },
      'rejectionBudget.',
    ),
  };
}

const refreshBeforeOf = (refreshBefore: TokenStreamOptions['refreshBefore']) =>
  typeof refreshBefore === 'function'
    ? refreshBefore
    : numbersIn({ refreshBefore }, { refreshBefore: [0, FINITE] }).refreshBefore;
