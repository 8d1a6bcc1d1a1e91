import { fieldsOf, headerOf } from '../internal/answers.js';

/**
 * A server refused the token: status 401, or 403 unless the challenge says `insufficient_scope` (RFC 6750 section 3.1),
 * which no other token of the same grant would cure.
 */
export function isRejection(outcome: unknown): boolean {
  const status = statusOf(outcome);
  return status === 401 || (status === 403 && !/\berror\s*=\s*"?insufficient_scope\b/i.test(challengeOf(outcome)));
}

/** The server blames the token itself, not perhaps the resource: no other request should use it. */
export const isExplicit = (outcome: unknown): boolean =>
  statusOf(outcome) === 401 || /\berror\s*=\s*"?invalid_token\b/i.test(challengeOf(outcome));

/** A Response or what looks like one; a data row with a `status` is not. */
export function looksLikeResponse(value: unknown): boolean {
  const { status, headers } = fieldsOf(value);
  return typeof status === 'number' && typeof headers === 'object' && headers !== null;
}

/** The status that an outcome has, or that its response has. */
function statusOf(outcome: unknown): unknown {
  const { status, response } = fieldsOf(outcome);
  return typeof status === 'number' ? status : fieldsOf(response).status;
}

const challengeOf = (outcome: unknown): string => headerOf(outcome, 'www-authenticate') ?? '';

/** A sliding window: at most `max` refreshes forced by rejections in any `per` ms. */
export interface Budget {
  /** Asks for one at that time, which may be to come. */
  readonly spend: (at: number) => boolean;
  /** The last one is made only now: a pause that it waited for, and the clock, may have gone another way. */
  readonly made: (now: number) => void;
}

export function createBudget({ max, per }: { readonly max: number; readonly per: number }): Budget {
  let spent: number[] = [];
  return {
    spend: (now) => {
      // A clock that was set back must neither refill the budget nor lock it for longer than one window.
      spent = spent.map((at) => Math.min(at, now)).filter((at) => now - at < per);
      return spent.length < max && spent.push(now) > 0;
    },
    made: (now) => {
      const last = spent.pop();
      if (last !== undefined) spent.push(Math.max(last, now));
    },
  };
}

/** How many resources are remembered; the least recent is forgotten first. */
const REMEMBERED = 256;

interface Suspicion {
  /** Repeats on their way. */
  repeats: number;
  fruitless: boolean;
}

/**
 * Resources that refused a fresh token too: a further refresh would be fruitless, so their rejections are passed on.
 * While the first repeat is still on its way, its outcome stands for all calls that overlap it.
 */
export interface FruitlessRefreshes {
  /** Whether a rejection by this resource is to be passed on at once. One of an older token may be repeated unless the case is clear. */
  knows(key: string | undefined, isCurrent: boolean): boolean;
  /** The resource is about to be asked again. Call the result with whether it refused; the first call counts. */
  repeat(key: string | undefined): (refused: boolean) => void;
  clear(): void;
}

export function createFruitlessRefreshes(): FruitlessRefreshes {
  const suspicions = new Map<string | undefined, Suspicion>();
  return {
    knows: (key, isCurrent) => {
      const known = suspicions.get(key);
      if (!known) return false;
      suspicions.delete(key);
      suspicions.set(key, known);
      return known.fruitless || isCurrent;
    },
    repeat: (key) => {
      const entry = suspicions.get(key) ?? { repeats: 0, fruitless: false };
      entry.repeats++;
      suspicions.delete(key);
      if (key !== undefined) suspicions.set(key, entry);
      if (suspicions.size > REMEMBERED) suspicions.delete(suspicions.keys().next().value);
      let settled = false;
      return (refused) => {
        if (settled) return;
        settled = true;
        entry.repeats--;
        entry.fruitless ||= refused;
        if (!entry.fruitless && entry.repeats === 0 && suspicions.get(key) === entry) suspicions.delete(key);
      };
    },
    clear: () => {
      suspicions.clear();
    },
  };
}
