import type { RejectionOutcome } from 'rx-fresh-token';

export type Kind = 'bare' | 'explicit';

/** What a resource has rejected, as far as its callers know. Guarantee 17. */
export interface ResourceMemory {
  readonly name: string;
  readonly isKeyed: boolean;
  /** Rejections since it last accepted a token. */
  rejections: number;
  /** When a refresh was last made for its rejections, and did not help. */
  readonly spent: Record<Kind, number | null>;
  /** Since when that is certain: it rejected that token too, or the issuer gave the same one. */
  readonly confirmed: Record<Kind, number | null>;
  lastRejected: string | null;
  /** When a token last came that was fetched for it, or the token came again that it had rejected. */
  fetchedAt: number;
}

/** Explicit rejections of a resource are remembered for so long. Milliseconds. */
export const EXPLICIT_MEMORY = 60_000;

/** Bare ones until the token is renewed, and for so long if it never is. Milliseconds. */
export const BARE_MEMORY = 300_000;

export const newMemory = (name: string, isKeyed: boolean): ResourceMemory => ({
  name,
  isKeyed,
  rejections: 0,
  spent: { bare: null, explicit: null },
  confirmed: { bare: null, explicit: null },
  lastRejected: null,
  fetchedAt: -Infinity,
});

export function clear({ spent, confirmed }: ResourceMemory): void {
  spent.bare = spent.explicit = confirmed.bare = confirmed.explicit = null;
}

/** A refresh is made for one of these rejections; for which one is certain only if there is no other. */
export function spend(candidates: readonly Rejection[], real: number): void {
  for (const { resource, kind } of candidates) {
    if (!resource) continue;
    if (candidates.length > 1) {
      resource.spent.bare = resource.spent.explicit = null;
      continue;
    }
    // One entry for each resource.
    clear(resource);
    resource.spent[kind] = real;
  }
}

/** The resource rejects a token that its issuer gave again: another refresh does not help it. */
export function confirm(memory: ResourceMemory, kind: Kind, real: number): void {
  const { spent, confirmed } = memory;
  memory.fetchedAt = real;
  confirmed[kind] = spent[kind] ??= real;
}

/** The token changed on schedule, or another resource is healed. */
export function forgetBare(memories: readonly ResourceMemory[]): void {
  for (const { spent, confirmed } of memories) spent.bare = confirmed.bare = null;
}

/** Whether an entry stops rejections of that kind. */
export const isActive = (
  at: ResourceMemory['spent'] | undefined,
  kind: Kind,
  real: number,
  bareMemory: number,
): boolean =>
  !!at &&
  ((at.explicit !== null && real < at.explicit + EXPLICIT_MEMORY) ||
    (kind === 'bare' && at.bare !== null && real < at.bare + bareMemory));

/** A server's rejection of a token. */
export interface Rejection {
  readonly who: string;
  readonly token: string;
  readonly kind: Kind;
  readonly resource: ResourceMemory | null;
  readonly isLag: boolean;
  /** The request is not repeated, whatever comes. */
  readonly isFinal: boolean;
  /** In which the token was given. */
  readonly session: number | undefined;
  /** It is the token at hand that was rejected. */
  isOfHeld: boolean;
  /** Whether it is the token at hand is not certain. */
  isUnsure: boolean;
  /** It may be passed on at once. */
  isExcused: boolean;
  /** A refresh for it would be one too many for its resource. */
  isSpent: boolean;
  outcome: RejectionOutcome | null;
  /** A refresh was forced by it. */
  isCause: boolean;
  /** The token that came of that. */
  fetched: string | null;
  /** The very token that was rejected came again. */
  cameAgain: boolean;
}

/** A rejection that has just been given, before the stream is told. */
export const newRejection = (
  given: Pick<Rejection, 'who' | 'token' | 'kind' | 'resource' | 'isLag' | 'isFinal' | 'session'>,
): Rejection => ({
  ...given,
  isOfHeld: false,
  isUnsure: false,
  isExcused: false,
  isSpent: false,
  outcome: null,
  isCause: false,
  fetched: null,
  cameAgain: false,
});
