import { asyncScheduler, type Observable, type SchedulerLike } from 'rxjs';
import { browserWake } from '../internal/browserWake.js';
import { finiteFrom, functionOr, numberIn } from '../internal/validate.js';
import { isPermanentFailure, type Backoff } from './backoff.js';
import type { TokenStreamOptions } from './types.js';

type Given = Pick<TokenStreamOptions, 'refreshBefore' | 'expiryMargin' | 'idleTimeout' | 'lifetime' | 'store'>;

/** The options with every default that does not depend on a token. */
export interface Settings extends Given {
  readonly jitter: number;
  readonly fetchTimeout: number;
  readonly maxWait: number;
  readonly backoff: Omit<Backoff, 'max'> & { readonly max: number | undefined };
  readonly rejectionBudget: { readonly max: number; readonly per: number };
  readonly isPermanent: (error: unknown) => boolean;
  readonly scheduler: SchedulerLike;
  readonly now: () => number;
  readonly random: () => number;
  readonly wake: Observable<unknown>;
}

/** Checks every option once, so that a mistake is named where it was made. */
export function settingsOf(options: TokenStreamOptions): Settings {
  const { backoff = {}, rejectionBudget = {}, scheduler = asyncScheduler, wake = browserWake(), store, refreshBefore } = options;
  requireMethod('scheduler', scheduler, 'schedule', 'an RxJS scheduler');
  requireMethod('wake', wake, 'subscribe', 'an Observable');
  if (store !== undefined) requireMethod('store', store, 'refresh', 'a TokenStore');
  if (typeof refreshBefore !== 'function') finiteFrom('refreshBefore', refreshBefore, 0);
  functionOr('lifetime', options.lifetime, undefined);
  return {
    refreshBefore,
    expiryMargin: finiteFrom('expiryMargin', options.expiryMargin, 0),
    idleTimeout: numberIn('idleTimeout', options.idleTimeout, 0, Infinity),
    lifetime: options.lifetime,
    store,
    jitter: numberIn('jitter', options.jitter, 0, 1) ?? 0.2,
    fetchTimeout: finiteFrom('fetchTimeout', options.fetchTimeout, 1) ?? 10_000,
    maxWait: numberIn('maxWait', options.maxWait, 0, Infinity) ?? 30_000,
    backoff: {
      initial: finiteFrom('backoff.initial', backoff.initial, 0) ?? 250,
      max: finiteFrom('backoff.max', backoff.max, 0),
      factor: finiteFrom('backoff.factor', backoff.factor, 1) ?? 2,
    },
    rejectionBudget: {
      max: numberIn('rejectionBudget.max', rejectionBudget.max, 0, Infinity) ?? 10,
      per: finiteFrom('rejectionBudget.per', rejectionBudget.per, 1) ?? 60_000,
    },
    isPermanent: functionOr('isPermanent', options.isPermanent, isPermanentFailure),
    scheduler,
    now: functionOr('now', options.now, () => scheduler.now()),
    random: functionOr('random', options.random, Math.random),
    wake,
  };
}

function requireMethod(name: string, value: unknown, method: string, what: string): void {
  if (typeof (value as Record<string, unknown> | null)?.[method] !== 'function') throw new TypeError(`option "${name}" must be ${what}`);
}
