import type { Settings } from './options.js';

/** `explicit`: the server says that the token is no good. `bare`: a 403 that may also mean that the resource is forbidden. */
export type RefusalKind = 'bare' | 'explicit';

/** How many resources are remembered; the oldest entry is forgotten first. */
const MOST_RESOURCES = 256;

/** A resource that refuses explicitly costs at most one refresh in this time. Milliseconds. */
const EXPLICIT_MEMORY = 60_000;

/** The longest pause between two tokens that nobody accepts. Milliseconds. */
const MAX_UNACCEPTED_PAUSE = 60_000;

/** What refusals have cost so far, and what another one may cost. */
export interface Refusals {
  /** Whether a refusal is passed on, because a refresh has not helped its resource. */
  isKnown(key: string | undefined, kind: RefusalKind, now: number): boolean;
  /** A token was fetched for the refusal of a resource. Until the resource accepts one, no other is. */
  remember(key: string | undefined, kind: RefusalKind, now: number): void;
  /** Whether a refusal may force a refresh: by the budget, and by what became of the tokens before. */
  mayForce(kind: RefusalKind, isAccepted: boolean, now: number): boolean;
  /** A forced refresh begins. `isAccepted`: some server had accepted the token that it replaces. */
  forced(kind: RefusalKind, isAccepted: boolean, now: number): void;
  /** A resource accepted a token. `isNews`: the token at hand, as the first to do so. */
  accepted(key: string | undefined, isNews: boolean): void;
  hasEntries(): boolean;
  /** The token changed on schedule: what a bare refusal meant may have changed as well. */
  forgetBare(): void;
  clear(): void;
}

export function createRefusals({ max, per }: Settings['rejectionBudget']): Refusals {
  const entries = new Map<string, { readonly kind: RefusalKind; at: number }>();
  const spent: Record<RefusalKind, number[]> = { bare: [], explicit: [] };
  /** Forced refreshes in a row that replaced a token which nobody had accepted. */
  let unaccepted = 0;
  let forcedAt = -Infinity;

  /** A clock that was set back must neither refill the budget nor lock it for longer than one window. */
  const forgetOld = (kind: RefusalKind, now: number) => {
    spent[kind] = spent[kind].map((at) => Math.min(at, now)).filter((at) => now - at < per);
  };

  return {
    isKnown: (key, kind, now) => {
      const entry = key === undefined ? undefined : entries.get(key);
      if (!entry) return false;
      // A clock that was set back must not lengthen the memory.
      entry.at = Math.min(entry.at, now);
      // An explicit refusal says more than a bare one, so it passes an entry that a bare one made.
      return entry.kind === 'bare' ? kind === 'bare' : now - entry.at < EXPLICIT_MEMORY;
    },
    remember: (key, kind, now) => {
      if (key === undefined) return;
      entries.delete(key);
      entries.set(key, { kind, at: now });
      for (const oldest of entries.keys()) if (entries.size > MOST_RESOURCES) entries.delete(oldest);
    },
    mayForce: (kind, isAccepted, now) => {
      forgetOld(kind, now);
      if (spent[kind].length >= max) return false;
      if (isAccepted || unaccepted === 0) return true;
      const elapsed = now - forcedAt;
      return elapsed < 0 || elapsed >= Math.min(MAX_UNACCEPTED_PAUSE, 1000 * 2 ** (unaccepted - 1));
    },
    forced: (kind, isAccepted, now) => {
      spent[kind].push(now);
      unaccepted = isAccepted ? 0 : unaccepted + 1;
      forcedAt = now;
    },
    accepted: (key, isNews) => {
      // A late answer to an older token says nothing of those that came after it.
      if (isNews) unaccepted = 0;
      if (key !== undefined) entries.delete(key);
    },
    hasEntries: () => entries.size > 0,
    forgetBare: () => {
      for (const [key, { kind }] of entries) if (kind === 'bare') entries.delete(key);
    },
    clear: () => {
      entries.clear();
      unaccepted = 0;
    },
  };
}
