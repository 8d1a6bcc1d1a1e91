import type { SchedulerLike } from 'rxjs';
import type { RefreshReason, TokenRequest } from '../token/types.js';
import { nth, optionCaller } from './faults.js';

/** One call of a fake source. It goes on changing until it is settled. */
export interface TokenCall {
  /** When it was made, in ms on the scheduler's clock. */
  readonly at: number;
  readonly reason: RefreshReason;
  readonly attempt: number;
  /** The value of the token to be replaced. */
  readonly previous: string | null;
  /** `aborted`: the caller left before there was an answer, by unsubscribing or by the request's signal. */
  readonly outcome: 'pending' | 'token' | 'failed' | 'aborted';
  /** The value that was answered. */
  readonly token: string | null;
  /** When it was no longer pending, in ms on the scheduler's clock. */
  readonly settledAt: number | null;
}

export type OpenTokenCall = { -readonly [K in keyof TokenCall]: TokenCall[K] };

/** Keeps the calls, and knows which of them should not have been made. */
export function createSourceRecord(scheduler: SchedulerLike, maxCalls: number, allowOverlap: boolean) {
  const calls: OpenTokenCall[] = [];
  const faults: string[] = [];
  /** The numbers of the calls under way. */
  const pending = new Set<number>();

  return {
    calls,
    faults,
    /**
     * A stream takes the TypeError for a failed fetch and tries again: only `verify` can say that the test itself is
     * wrong.
     */
    callOption: optionCaller(faults, scheduler),
    begin: ({ reason, attempt, previous }: TokenRequest): OpenTokenCall => {
      const at = scheduler.now();
      const n = calls.length + 1;
      const [under] = pending;
      if (under !== undefined && !allowOverlap)
        faults.push(`${nth(n, at)} (${reason}) was made while call ${String(under)} was under way`);
      if (n > maxCalls) faults.push(`${nth(n, at)} (${reason}) is one too many: maxCalls is ${String(maxCalls)}`);
      const call: OpenTokenCall = {
        at,
        reason,
        attempt,
        previous: previous?.value ?? null,
        outcome: 'pending',
        token: null,
        settledAt: null,
      };
      calls.push(call);
      pending.add(n);
      return call;
    },
    /** The nth call has an outcome, or its caller has left. */
    settle: (call: OpenTokenCall, n: number): void => {
      if (call.outcome === 'pending') call.outcome = 'aborted';
      call.settledAt = scheduler.now();
      pending.delete(n);
    },
  };
}
