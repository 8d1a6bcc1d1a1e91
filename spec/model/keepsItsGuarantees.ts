import * as fc from 'fast-check';
import { config } from 'rxjs';
import { histories } from './histories.js';
import type { History } from './history.js';
import { run } from './run.js';

/** The same histories each time, so that a failure is the change's; `MODEL_SEED=random` looks for new ones. */
const { MODEL_RUNS = '20000', MODEL_SEED = '20261122', MODEL_REPLAY } = process.env;

/** That of Jest's sandbox, and Node's own, which the reason of an aborted signal is of. */
const kindsOfError = [Error, (Object.getPrototypeOf(DOMException.prototype) as Error).constructor as ErrorConstructor];

/** What went wrong, with all that is needed to see it again. */
function report(history: History, seed: number): string {
  const lines: string[] = [];
  const faults = run(history, (line) => lines.push(line));
  const replay = `MODEL_REPLAY='${JSON.stringify(history)}' npx jest spec/model`;
  return [
    faults.join('\n'),
    lines.slice(-60).join('\n'),
    `MODEL_SEED=${String(seed)} npx jest spec/model`,
    replay,
  ].join('\n\n');
}

/** Half of the histories: two files run side by side, by two workers. The second half has the next seed. */
export function itKeepsItsGuarantees(half: 0 | 1): void {
  const runs = Math.ceil(Number(MODEL_RUNS) / 2);

  const unhandled: unknown[] = [];
  const { stackTraceLimit } = Error;
  beforeAll(() => {
    // Thousands of errors are made, and nobody reads where.
    for (const kind of kindsOfError) kind.stackTraceLimit = 0;
    config.onUnhandledError = (error) => unhandled.push(error);
  });
  afterAll(() => {
    for (const kind of kindsOfError) kind.stackTraceLimit = stackTraceLimit;
    config.onUnhandledError = null;
  });

  if (MODEL_REPLAY === undefined) {
    it(`should keep its guarantees in ${String(runs)} random histories`, async () => {
      const kept = fc.property(histories, (history) => run(history).length === 0);
      const { failed, counterexample, seed, numRuns } = fc.check(kept, {
        numRuns: runs,
        ...(MODEL_SEED !== 'random' && { seed: Number(MODEL_SEED) + half }),
      });
      if (failed) throw new Error(`${String(numRuns)} histories were good, then:\n${report(counterexample![0], seed)}`);
      await new Promise((resolve) => setTimeout(resolve));
      expect(unhandled).toEqual([]);
    }, 3_600_000);
  } else {
    it('should keep its guarantees in the given history', () => {
      const history = JSON.parse(MODEL_REPLAY) as History;
      if (run(history).length > 0) throw new Error(report(history, 0));
    });
  }
}
