/** Records the calls of the fake source, and finds those that a correct stream does not make. */
import type { RefreshReason, TokenRequest } from '../../token/types.js';
import { createFakeRecord, type RecordSettings } from '../fakeRecord.js';

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

/** Keeps the calls, and knows which of them should not have been made. */
export function createSourceRecord(settings: RecordSettings & { readonly allowOverlap: boolean }) {
  const { scheduler, allowOverlap } = settings;
  const record = createFakeRecord<TokenCall>('fakeTokenSource', settings);
  /** The numbers of the calls under way. */
  const underWay = new Set<number>();

  return {
    ...record,
    begin: ({ reason, attempt, previous }: TokenRequest): OpenTokenCall => {
      const call: OpenTokenCall = {
        at: scheduler.now(),
        reason,
        attempt,
        previous: previous?.value ?? null,
        outcome: 'pending',
        token: null,
        settledAt: null,
      };
      const [other] = underWay;
      const overlaps = other !== undefined && !allowOverlap;
      record.add(call, reason, overlaps ? `was made while call ${String(other)} was under way` : undefined);
      underWay.add(record.calls.length);
      return call;
    },
    /** The nth call has an outcome, or its caller has left. */
    settle: (call: OpenTokenCall, n: number): void => {
      if (call.outcome === 'pending') call.outcome = 'aborted';
      call.settledAt = scheduler.now();
      underWay.delete(n);
    },
  };
}

type OpenTokenCall = { -readonly [K in keyof TokenCall]: TokenCall[K] };
