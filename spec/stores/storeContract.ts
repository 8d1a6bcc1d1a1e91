import { storeContract, type StoresUnderTest } from '../../src/testing/contract/storeContract.js';

/**
 * The contract that every store is run against, as specs. Each has a place of its own, and most of them wait: some run
 * at once.
 */
export function itKeepsTheContract(create: () => StoresUnderTest | Promise<StoresUnderTest>): void {
  it.concurrent.each(storeContract({ create }).map((check) => [check.name, check.run] as const))(
    '%s',
    async (_name, run) => {
      await run();
    },
    30_000,
  );
}
