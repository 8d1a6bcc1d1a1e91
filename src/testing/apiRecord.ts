import type { SchedulerLike } from 'rxjs';
import type { Credential } from './apiVerdict.js';
import { nth } from './faults.js';

/** One call of an API. It goes on changing until it is settled. */
export interface ApiCall {
  /** When it arrived, in ms on the scheduler's clock. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** The value of the token it carried. */
  readonly token: string | null;
  /** What had become of that token when the call arrived; `missing` if it carried none. */
  readonly credential: Credential;
  /** The status that was answered; `down`: the connection broke; `aborted`: the caller left first. */
  readonly outcome: number | 'pending' | 'down' | 'aborted';
}

export type OpenCall = { -readonly [K in keyof ApiCall]: ApiCall[K] };

/** What a call may be without {@link ScriptedApi.verify} minding; `refused` is a token whose 401 the caller has seen already. */
export type Tolerance = 'missing' | 'unknown' | 'expired' | 'refused';

/** Keeps the calls, and knows which of them nobody should have made. */
export function createApiRecord(scheduler: SchedulerLike, maxCalls: number, tolerate: readonly Tolerance[]) {
  const calls: OpenCall[] = [];
  const faults: string[] = [];
  /** Tokens of which a caller was told that they are no good, and when. */
  const told = new Map<string, number>();

  const carried = ({ token, credential, at }: ApiCall): [Tolerance, string] | undefined => {
    if (credential === 'missing') return ['missing', 'carried no token'];
    const name = token ?? '';
    if (credential === 'unknown') return ['unknown', `carried ${name}, which was never issued`];
    if (credential === 'expired') return ['expired', `carried ${name}, which had expired`];
    const since = at - (told.get(name) ?? Infinity);
    // Within the same millisecond a caller may have sent before it heard.
    return since > 0 ? ['refused', `carried ${name}, which had been refused ${String(since)} ms before`] : undefined;
  };

  return {
    calls,
    faults,
    add: (about: Pick<ApiCall, 'method' | 'path' | 'token' | 'credential'>): OpenCall => {
      const call: OpenCall = { at: scheduler.now(), ...about, outcome: 'pending' };
      const n = calls.push(call);
      const who = `${nth(n, call.at)} (${call.method} ${call.path})`;
      const [kind, what] = carried(call) ?? [];
      if (kind && !tolerate.includes(kind)) faults.push(`${who} ${String(what)}`);
      if (n > maxCalls) faults.push(`${who} is one too many: maxCalls is ${String(maxCalls)}`);
      return call;
    },
    /** The caller heard that the token itself is no good. */
    tell: (token: string | null): void => {
      if (token !== null && !told.has(token)) told.set(token, scheduler.now());
    },
  };
}
