/**
 * Remembers what rejections have cost, so that a resource that rejects every token does not cause endless refreshes.
 */
import type { Settings } from './options.js';

/**
 * `explicit`: the server says that the token is invalid. `bare`: a 403 that may also mean that the resource is
 * forbidden.
 */
export type RejectionKind = 'bare' | 'explicit';

/** Who rejected a token, and how. */
export interface RejectedBy {
  /** The resource. Without it nothing is remembered. */
  readonly key?: string | undefined;
  readonly kind: RejectionKind;
}

/** How many resources are remembered; the oldest entry is forgotten first. */
const MAX_RESOURCES = 256;

/** A resource that rejects explicitly costs at most one refresh in this time. Milliseconds. */
const EXPLICIT_MEMORY = 60_000;

/** The same of bare rejections, where the token is never renewed. Milliseconds. */
const BARE_MEMORY = 300_000;

/** The longest pause between two tokens that no server accepts. Milliseconds. */
const MAX_UNACCEPTED_PAUSE = 60_000;

/** What rejections have cost so far, and what another one may cost. */
export interface RejectionMemory {
  /**
   * Whether a rejection is passed on, because a refresh has not helped its resource.
   *
   * @param isLifetimeKnown of the token at hand: it is renewed on schedule, which ends the memory of bare rejections
   */
  isRemembered(by: RejectedBy, now: number, isLifetimeKnown: boolean): boolean;
  /**
   * Another token does not help a resource. None is fetched for it until it accepts one; after a bare rejection, until
   * the token is renewed, or for 5 minutes if it never is; after an explicit one, for 60 s.
   */
  remember(by: RejectedBy, now: number): void;
  /** Whether a rejection may force a refresh: by the budget, and by whether anyone accepted the tokens before. */
  mayForce(kind: RejectionKind, isAccepted: boolean, now: number): boolean;
  /** A forced refresh begins. `isAccepted`: some server had accepted the token that it replaces. */
  forced(kind: RejectionKind, isAccepted: boolean, now: number): void;
  /** It brought a token. The resource is remembered: a second one would not help it more. */
  fetchedFor(by: RejectedBy, now: number): void;
  /** A resource accepted a token. `isLatest`: it is the token at hand, and no server had accepted it before. */
  accepted(keyOf: () => string | undefined, isLatest: boolean): void;
  /** The token changed on schedule: what a bare rejection meant may have changed as well. */
  forgetBare(): void;
  clear(): void;
}

export function createRejectionMemory({ max, per }: Settings['rejectionBudget']): RejectionMemory {
  /** When a token was last fetched for a rejection of each kind. `undefined` is never a key. */
  const entries = new Map<string | undefined, Partial<Record<RejectionKind, number>>>();
  const spent: Record<RejectionKind, number[]> = { bare: [], explicit: [] };
  /** Forced refreshes in a row that replaced a token which no server had accepted. */
  let unaccepted = 0;
  /** When the last of them was begun, or brought its token. */
  let forcedAt = -Infinity;

  const remember: RejectionMemory['remember'] = ({ key, kind }, now) => {
    if (key === undefined) return;
    const before = entries.get(key);
    entries.delete(key);
    entries.set(key, { ...before, [kind]: now });
    const [oldest = key] = entries.keys();
    if (entries.size > MAX_RESOURCES) entries.delete(oldest);
  };

  return {
    isRemembered: ({ key, kind }, now, isLifetimeKnown) => {
      const { bare = -Infinity, explicit = -Infinity } = entries.get(key) ?? {};
      // An explicit rejection says more than a bare one, so it passes what a bare one left.
      const isBare = kind === 'bare' && now - bare < (isLifetimeKnown ? Infinity : BARE_MEMORY);
      return isBare || now - explicit < EXPLICIT_MEMORY;
    },
    remember,
    mayForce: (kind, isAccepted, now) => {
      spent[kind] = spent[kind].filter((at) => now - at < per);
      if (spent[kind].length >= max) return false;
      if (isAccepted || unaccepted === 0) return true;
      return now - forcedAt >= Math.min(MAX_UNACCEPTED_PAUSE, 1000 * 2 ** (unaccepted - 1));
    },
    forced: (kind, isAccepted, now) => {
      spent[kind].push(now);
      unaccepted = isAccepted ? 0 : unaccepted + 1;
      forcedAt = now;
    },
    fetchedFor: (by, now) => {
      // The pause lets servers learn of the token, however long it took to fetch it.
      forcedAt = now;
      remember(by, now);
    },
    accepted: (keyOf, isLatest) => {
      // A late answer to an older token says nothing of those that came after it.
      if (isLatest) unaccepted = 0;
      if (entries.size > 0) entries.delete(keyOf());
    },
    forgetBare: () => {
      for (const [key, entry] of entries) {
        if (entry.explicit === undefined) entries.delete(key);
        else delete entry.bare;
      }
    },
    clear: () => {
      entries.clear();
      unaccepted = 0;
    },
  };
}
