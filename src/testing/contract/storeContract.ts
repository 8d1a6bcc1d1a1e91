/** The public function `storeContract`: runs every check of the contract on fresh stores, with a time limit. */
import { FINITE, numbersIn, requireObject, wrong } from '../../internal/values/validate.js';
import type { TokenStore } from '../../token/tokenStore.js';
import { FETCH_CHECKS } from './fetchChecks.js';
import { SIGN_OUT_CHECKS } from './signOutChecks.js';
import { createContext, demand, type Stores } from './checkContext.js';
import { TOKEN_CHECKS } from './tokenChecks.js';

/** Stores under test: at least three, which share one place that is not used yet. */
export interface StoresUnderTest {
  readonly stores: readonly TokenStore[];
  /** Called when the check is over. */
  readonly dispose?: (() => unknown) | undefined;
}

/** One rule that a store must keep. */
export interface StoreCheck {
  readonly name: string;
  /** Resolves if the store keeps the rule; rejects with what is wrong. */
  readonly run: () => Promise<void>;
}

export interface StoreContractOptions {
  readonly create: () => StoresUnderTest | Promise<StoresUnderTest>;
  /**
   * How long a store may take to notice that the stream that fetched is gone, or to try again after a failure. Every
   * answer must come within this time. Milliseconds, finite, >= 1. Default 15 000.
   */
  readonly timeout?: number | undefined;
}

/**
 * What every {@link TokenStore} must do for the streams that share it, as a list of tests for any test runner:
 *
 * ```ts
 * for (const { name, run } of storeContract({ create: () => ({ stores: [store(), store(), store()] }) })) test(name, run);
 * ```
 *
 * The optional members of a store (`changes`, `signOut`, `signedOut`) are tested if it has them.
 *
 * @throws TypeError that names an option out of range.
 */
export function storeContract(options: StoreContractOptions): readonly StoreCheck[] {
  requireObject(options);
  const { create, ...numbers } = options;
  const { timeout } = numbersIn(numbers, { timeout: [1, FINITE, 15_000] });
  if (typeof create !== 'function') throw wrong('create', create, 'a function that returns stores');
  return Object.entries({ ...FETCH_CHECKS, ...TOKEN_CHECKS, ...SIGN_OUT_CHECKS }).map(([name, check]) => ({
    name,
    run: async () => {
      const { stores, dispose } = await create();
      const context = createContext(timeout);
      try {
        demand(stores.length >= 3, `the contract needs three stores or more, got ${String(stores.length)}`);
        await check(stores as Stores, context);
      } finally {
        context.stopListening();
        await dispose?.();
      }
    },
  }));
}
