/** Records the calls of the scripted API, and finds those that a correct client does not make. */
import type { Credential } from './apiJudge.js';
import { createFakeRecord, type RecordSettings } from '../fakeRecord.js';

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

/** Faults that {@link ScriptedApi.verify} may ignore; `refused` is a token whose 401 the caller has got already. */
export type Tolerance = 'missing' | 'unknown' | 'expired' | 'refused';

/** A token that was answered with 401, and who has got this answer. */
interface Refusal {
  readonly at: number;
  /** Requests whose callers have got it. */
  readonly knownTo: Set<string>;
  /** The whole client has had the time to learn of it. */
  isKnown: boolean;
}

/** Microtasks until a client of promises has learned of a refusal; createFetch takes three. */
const MICROTASKS = 10;

/**
 * A caller that awaits the answer gets it in the next microtask: the same request with that token is a repeat from then
 * on.
 */
async function makeKnown(refusal: Refusal, request: string): Promise<void> {
  await Promise.resolve();
  refusal.knownTo.add(request);
  for (let n = 1; n < MICROTASKS; n++) await Promise.resolve();
  refusal.isKnown = true;
}

/** Keeps the calls, and knows which of them should not have been made. */
export function createApiRecord(settings: RecordSettings & { readonly tolerate: readonly Tolerance[] }) {
  const { scheduler, tolerate } = settings;
  const record = createFakeRecord<ApiCall>('scriptedApi', settings);
  const refusals = new Map<string, Refusal>();

  const faultOf = ({ token, credential, at, method, path }: ApiCall): [Tolerance, string] | undefined => {
    if (credential === 'missing') return ['missing', 'carried no token'];
    const name = token ?? '';
    if (credential === 'unknown') return ['unknown', `carried ${name}, which was never issued`];
    if (credential === 'expired') return ['expired', `carried ${name}, which had expired`];
    // Guarantees 19 and 33: a client may send a token again that the API refused, unless it was revoked.
    const refusal = credential === 'revoked' ? refusals.get(name) : undefined;
    // By the order of things, not by the clock: who repeats at once does so in the same millisecond.
    if (!refusal?.isKnown && !refusal?.knownTo.has(`${method} ${path}`)) return undefined;
    const since = at > refusal.at ? `${String(at - refusal.at)} ms` : 'just';
    return ['refused', `carried ${name}, which had been refused ${since} before`];
  };

  return {
    ...record,
    begin: (about: Pick<ApiCall, 'method' | 'path' | 'token' | 'credential'>): OpenCall => {
      const call: OpenCall = { at: scheduler.now(), ...about, outcome: 'pending' };
      const [kind, fault] = faultOf(call) ?? [];
      record.add(call, `${call.method} ${call.path}`, kind && tolerate.includes(kind) ? undefined : fault);
      return call;
    },
    /** The token was answered with 401. `byPromise`: other requests may be sent before the whole client knows. */
    refuse: ({ token, method, path }: ApiCall, byPromise: boolean): void => {
      if (token === null) return;
      const refusal = refusals.get(token) ?? { at: scheduler.now(), knownTo: new Set(), isKnown: false };
      refusals.set(token, refusal);
      if (byPromise) void makeKnown(refusal, `${method} ${path}`);
      else refusal.isKnown = true;
    },
  };
}
