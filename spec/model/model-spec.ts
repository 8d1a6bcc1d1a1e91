import { itKeepsItsGuarantees } from './keepsItsGuarantees.js';

/**
 * Random histories of one stream, in virtual time, against a model of what docs/guarantees.md says.
 *
 * A history (history.ts) is plain data: options, what the token endpoint answers, what resources accept, and what
 * callers and users do: calls, subscriptions, `refresh()`, `reject()`, `signOut()`, `close()`, revocations, a clock
 * that is set. Listeners act from inside callbacks, too. histories.ts makes them, run.ts plays them.
 *
 * The model sees only what is outside the stream: its options, what the source was asked and answered, what each caller
 * was given, the events, and both clocks, that of the timers and that of the system. It never reads the stream's state.
 * From that it computes bounds: `mayServe` is the token that may still be served, `mustServe` the one that must be.
 * Where the guarantees leave something open, the two differ, or a field says `unsure`, and nothing is checked.
 *
 * After each thing that happens it checks (the number of the guarantee begins the message):
 * - tokens.ts, lifetimes.ts: no token is given that is over, suspended, or of another session; `current` is right. 1 to
 *   5, 14, 19, 30, 36
 * - fetches.ts, failures.ts: one fetch at a time, for a reason, not too early, not too late, not in a pause. 1, 3, 6,
 *   8, 9, 11, 29
 * - waiters.ts: nobody waits longer than needed, or fails without a reason. 4, 12, 26, 33, 36
 * - rejections.ts, refreshBudget.ts, resourceMemory.ts: one refresh for a rejection, within the budgets. 15, 17, 18,
 *   33, 34
 * - request.ts, taker.ts, listener.ts: a request is sent once or twice, a subscriber hears each token once. 9, 14, 16,
 *   24, 33
 * - eventLog.ts: two listeners hear the same events, and all that happened. 38
 * - model.ts: after `close()` no timer, no fetch and no subscriber is left. 26
 *
 * A failure prints the shortest history that was found, what happened in it, and how to run it again.
 */

describe('the stream, whatever happens', () => {
  itKeepsItsGuarantees(0);
});
