/** Remembers what rejections have cost: a resource that rejects every token must not cause endless refreshes. */
import type { RejectionKind } from '../../answers/isRejection.js';
import type { Settings } from '../options.js';
import type { AccessToken } from '../types.js';

export interface RejectedBy {
  /** The resource. Without it nothing is remembered. */
  readonly key?: string | undefined;
  readonly kind: RejectionKind;
}

export interface Rejection extends RejectedBy {
  readonly token: AccessToken;
}

/** How many resources are remembered for each kind; the oldest entry is forgotten first. */
const MAX_RESOURCES = 256;

/** A resource that rejects explicitly costs at most one refresh in this time. Milliseconds. */
const EXPLICIT_MEMORY = 60_000;

/** The same of bare rejections, where the token is never renewed. Milliseconds. */
const BARE_MEMORY = 300_000;

/** The longest pause between two tokens that no server accepts. Milliseconds. */
const MAX_UNACCEPTED_PAUSE = 60_000;

export type RejectionMemory = ReturnType<typeof createRejectionMemory>;

export const createRejectionMemory = (budget: Settings['rejectionBudget']) => ({
  ...createResourceMemory(),
  ...createForcedRefreshes(budget),
});

/** The resources that a refresh has not helped. */
function createResourceMemory() {
  /** When a token was last fetched for each resource. `undefined` is never a key. */
  const bare = new Map<string | undefined, number>();
  const explicit: typeof bare = new Map();
  return {
    /**
     * Whether a rejection is passed on, because a refresh has not helped its resource.
     *
     * @param isLifetimeKnown of the token at hand: it is renewed on schedule, which ends the memory of bare rejections
     */
    isRemembered: ({ key, kind }: RejectedBy, now: number, isLifetimeKnown: boolean): boolean => {
      // Without an entry Infinity, which is less than nothing.
      const age = (entries: typeof bare) => now - (entries.get(key) ?? -Infinity);
      // The memory of a bare rejection does not stop the refresh for an explicit one, which says more.
      const bareMemory = kind === 'explicit' ? 0 : isLifetimeKnown ? Infinity : BARE_MEMORY;
      return age(bare) < bareMemory || age(explicit) < EXPLICIT_MEMORY;
    },
    /** Rejections of the resource are passed on from now on, for a time, or until it accepts a token. */
    remember: ({ key, kind }: RejectedBy, now: number): void => {
      if (key === undefined) return;
      const entries = kind === 'bare' ? bare : explicit;
      entries.delete(key);
      entries.set(key, now);
      const [oldest = key] = entries.keys();
      if (entries.size > MAX_RESOURCES) entries.delete(oldest);
    },
    /** A resource has accepted a token. */
    forget: (keyOf: () => string | undefined): void => {
      if (bare.size + explicit.size === 0) return;
      const key = keyOf();
      bare.delete(key);
      explicit.delete(key);
    },
    /** The token changed on schedule: what a bare rejection meant may have changed as well. */
    forgetBare: (): void => bare.clear(),
    forgetAll: (): void => {
      bare.clear();
      explicit.clear();
    },
  };
}

/** How many refreshes were forced, and the pauses between those that replaced a token which no server had accepted. */
function createForcedRefreshes({ max, per }: Settings['rejectionBudget']) {
  const forcedTimes: Record<RejectionKind, number[]> = { bare: [], explicit: [] };
  /** Forced refreshes in a row that replaced a token which no server had accepted. */
  let unacceptedInARow = 0;
  /** When the last of them was begun, or brought its token. */
  let pauseStartedAt = -Infinity;
  return {
    /** Whether a rejection may force a refresh: by the budget, and by whether anyone accepted the tokens before. */
    mayForce: (kind: RejectionKind, isAccepted: boolean, now: number): boolean => {
      if (forcedTimes[kind].filter((at) => now - at < per).length >= max) return false;
      if (isAccepted || unacceptedInARow === 0) return true;
      return now - pauseStartedAt >= Math.min(MAX_UNACCEPTED_PAUSE, 1000 * 2 ** (unacceptedInARow - 1));
    },
    /** A forced refresh begins. `isAccepted`: some server had accepted the token that it replaces. */
    refreshForced: (kind: RejectionKind, isAccepted: boolean, now: number): void => {
      forcedTimes[kind] = [...forcedTimes[kind], now].filter((at) => now - at < per);
      unacceptedInARow = isAccepted ? 0 : unacceptedInARow + 1;
      pauseStartedAt = now;
    },
    /** A token came after a rejection: servers may need time to learn of it. */
    startPause: (now: number): void => {
      pauseStartedAt = now;
    },
    /** A server has accepted the token, or the session has ended. The budget stays: it protects the source. */
    endPauses: (): void => {
      unacceptedInARow = 0;
    },
  };
}
