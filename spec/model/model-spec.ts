import * as fc from 'fast-check';
import { config } from 'rxjs';
import { histories } from './histories.js';
import type { History } from './history.js';
import { run } from './run.js';

/**
 * Random histories of one stream, in virtual time, against a model of what docs/guarantees.md says.
 *
 * A history (history.ts) is plain data: options, what the token endpoint answers, what resources accept, and what callers
 * and users do: calls, subscriptions, `refresh()`, `reject()`, `signOut()`, `close()`, revocations, a clock that is set.
 * Listeners act from inside callbacks, too. histories.ts makes them, run.ts plays them.
 *
 * The model sees only what is outside the stream: its options, what the source was asked and answered, what each caller
 * was given, the events, and both clocks, that of the timers and that of the system. It never reads the stream's state.
 * From that it computes bounds: `mayServe` is the token that may still be served, `mustServe` the one that must be. Where the
 * guarantees leave something open, the two differ, or a field says `unsure`, and nothing is checked.
 *
 * After each thing that happens it checks (the number of the guarantee begins the message):
 * - tokens.ts, lifetimes.ts: no token is given that is over, suspended, or of another session; `current` is right. 1 to 5, 14, 19, 30, 36
 * - fetches.ts, failures.ts: one fetch at a time, for a reason, not too early, not too late, not in a pause. 1, 3, 6, 8, 9, 11, 29
 * - waiters.ts: nobody waits longer than needed, or fails without a reason. 4, 12, 26, 33, 36
 * - rejections.ts, refreshBudget.ts, resourceMemory.ts: one refresh for a rejection, within the budgets. 15, 17, 18, 33, 34
 * - request.ts, taker.ts, listener.ts: a request is sent once or twice, a subscriber hears each token once. 9, 14, 16, 24, 33
 * - eventLog.ts: two listeners hear the same events, and all that happened. 38
 * - model.ts: after `close()` no timer, no fetch and no subscriber is left. 26
 *
 * A failure prints the shortest history that was found, what happened in it, and how to run it again.
 */

/** The same histories each time, so that a failure is the change's; `MODEL_SEED=random` looks for new ones. */
const { MODEL_RUNS = '20000', MODEL_SEED = '20261122', MODEL_REPLAY } = process.env;

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

describe('the stream, whatever happens', () => {
  const unhandled: unknown[] = [];
  const { stackTraceLimit } = Error;
  beforeAll(() => {
    // Thousands of errors are made, and nobody reads where.
    Error.stackTraceLimit = 0;
    config.onUnhandledError = (error) => unhandled.push(error);
  });
  afterAll(() => {
    Error.stackTraceLimit = stackTraceLimit;
    config.onUnhandledError = null;
  });

  if (MODEL_REPLAY === undefined) {
    it(`should keep its guarantees in ${MODEL_RUNS} random histories`, async () => {
      const kept = fc.property(histories, (history) => run(history).length === 0);
      const { failed, counterexample, seed, numRuns } = fc.check(kept, {
        numRuns: Number(MODEL_RUNS),
        ...(MODEL_SEED !== 'random' && { seed: Number(MODEL_SEED) }),
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
});
