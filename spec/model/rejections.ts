import type { RejectionOutcome } from 'rx-fresh-token';
import type { Facts } from './facts.js';
import type { Arrival, Tokens } from './tokens.js';

export type Kind = 'bare' | 'explicit';

/** What a resource has rejected, as far as its callers know. */
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
  /** When a token last came that was fetched for it, or was vouched for. */
  fetchedAt: number;
}

export const newMemory = (name: string, isKeyed: boolean): ResourceMemory => ({
  name,
  isKeyed,
  rejections: 0,
  spent: { bare: null, explicit: null },
  confirmed: { bare: null, explicit: null },
  lastRejected: null,
  fetchedAt: -Infinity,
});

function clear({ spent, confirmed }: ResourceMemory): void {
  spent.bare = spent.explicit = confirmed.bare = confirmed.explicit = null;
}

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
  isOfHeld: boolean;
  /** Whether it is of the token at hand is not certain. */
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

const EXPLICIT_MEMORY = 60_000;

/** What rejections may cost, and when one may be passed on. */
export class Rejections {
  /** Rejected, and not yet told of. */
  private readonly pending: Rejection[] = [];
  private recent: Rejection[] = [];
  private readonly budget: Record<Kind, { real: number; jumps: number; isCertain: boolean }[]> = {
    bare: [],
    explicit: [],
  };
  private readonly waiting = new Set<Rejection>();
  /** Forced refreshes in a row whose token nobody had accepted, and those since anything was accepted. */
  private unaccepted = 0;
  private inARow: Rejection[] = [];
  /** The resource for whose rejection the token at hand was fetched. */
  private fetchedFor: ResourceMemory | null = null;
  private forcedReal = -Infinity;
  private aside: { readonly rejection: Rejection; readonly isCertain: boolean } | null = null;

  constructor(
    private readonly facts: Facts,
    private readonly tokens: Tokens,
    private readonly memories: readonly ResourceMemory[],
    /** Everything is fast enough for a lag of 1.5 s to cost three tokens at most. */
    private readonly isFast: boolean,
    private readonly source: {
      readonly isBlocked: () => boolean;
      readonly isPausing: () => boolean;
      readonly isRefreshing: () => boolean;
    },
  ) {}

  /** Runs `pass`, which hands a rejection to the stream. */
  reject(rejection: Rejection, pass: () => void): void {
    const { facts, tokens } = this;
    const { resource, kind } = rejection;
    const { held } = tokens;
    const isOfSession = !facts.isSignedOut && rejection.session === facts.session;
    rejection.isOfHeld = held?.value === rejection.token;
    rejection.isUnsure = held?.isUnsure === true;
    const isPaused =
      !held?.isAccepted && this.unaccepted > 0 && facts.real - this.forcedReal < this.pauseOfUnaccepted();
    rejection.isExcused =
      facts.jumps > 0 ||
      !isOfSession ||
      this.isRemembered(rejection) ||
      this.spentOf(kind, false) >= this.max ||
      isPaused ||
      this.source.isBlocked();
    rejection.isSpent = this.isActive(resource?.spent, kind);
    if (resource) {
      resource.rejections++;
      resource.lastRejected = rejection.token;
    }
    if (held && rejection.isOfHeld && kind === 'explicit' && held.suspended === 'no') {
      held.suspended = 'unsure';
      this.aside = { rejection, isCertain: !this.source.isPausing() };
    }
    this.pending.push(rejection);
    // It joins the refresh under way.
    if (!this.source.isRefreshing()) this.recent.push(rejection);
    this.waiting.add(rejection);
    pass();
  }

  private get max(): number {
    return this.facts.options.rejectionBudget?.max ?? 10;
  }

  /** Refreshes that were forced within the window, for certain, or perhaps. */
  private spentOf(kind: Kind, isCertain: boolean): number {
    const { jumps, real, options } = this.facts;
    const per = options.rejectionBudget?.per ?? 60_000;
    const spent = this.budget[kind].filter((each) => each.jumps === jumps && real - each.real < per);
    this.budget[kind] = spent;
    return isCertain ? spent.filter((each) => each.isCertain).length : spent.length;
  }

  /** After the first, tokens that nobody has accepted are replaced after pauses. */
  private pauseOfUnaccepted(): number {
    return Math.min(60_000, 1000 * 2 ** (this.unaccepted - 1));
  }

  private isActive(at: ResourceMemory['spent'] | undefined, kind: Kind): boolean {
    if (!at) return false;
    return (
      (at.explicit !== null && this.facts.real < at.explicit + EXPLICIT_MEMORY) || (kind === 'bare' && at.bare !== null)
    );
  }

  /** Another refresh would not help the resource, or it is seen only now whether the last one did. */
  private isRemembered({ resource, kind, isOfHeld, isFinal }: Rejection): boolean {
    if (!resource?.isKeyed) return false;
    // What has delivered a value counts as accepted and as rejected: it says little.
    if (isFinal) return resource.lastRejected !== null;
    // Whether the token that was fetched for it helps is not known before it answers.
    const isRecent = kind === 'bare' || this.facts.real < resource.fetchedAt + EXPLICIT_MEMORY;
    if (this.isActive(resource.confirmed, kind)) return true;
    if (isOfHeld) return isRecent && (resource.rejections > 0 || this.fetchedFor === resource);
    return this.isActive(resource.confirmed, kind) || resource.lastRejected === this.tokens.held?.value;
  }

  /** `tokenRejected` was emitted. */
  told(token: string, outcome: RejectionOutcome): void {
    const { facts } = this;
    const index = this.pending.findIndex((each) => each.token === token);
    const [rejection] = index < 0 ? [] : this.pending.splice(index, 1);
    if (!rejection) {
      facts.violated('38', `said that ${token} was rejected, which is not so`);
      return;
    }
    rejection.outcome = outcome;
    if (outcome === 'suppressed' && !rejection.isExcused)
      facts.violated('33', `the rejection of ${rejection.who} was passed on without a reason`);
    if (rejection.isUnsure) return;
    if (outcome === 'alreadyReplaced' && rejection.isOfHeld) facts.violated('15', `${token} was not replaced`);
    if (outcome === 'refreshing' && !rejection.isOfHeld) facts.violated('15', `${token} was replaced already`);
  }

  /** A refresh is forced by a rejection: which one? */
  forced(): Rejection | null {
    const { facts, tokens } = this;
    const { real, jumps } = facts;
    const candidates = this.recent.filter(
      ({ token, outcome }) => token === tokens.held?.value && outcome !== 'suppressed' && outcome !== 'alreadyReplaced',
    );
    const [cause] = candidates;
    if (!cause) {
      facts.violated('15', 'a refresh was forced, though no current token was rejected');
      return null;
    }
    const { resource, kind, who } = cause;
    const isCertain = jumps === 0 && candidates.length === 1;
    const isAccepted = tokens.held?.isAccepted === true;
    if (isCertain && this.spentOf(kind, true) >= this.max)
      facts.violated('18', `${kind} rejections forced more than ${String(this.max)} refreshes`);
    if (isCertain && !isAccepted && this.unaccepted > 0 && real - this.forcedReal < this.pauseOfUnaccepted())
      facts.violated('33', `a token that nobody accepted was replaced too soon`);
    if (isCertain && cause.isSpent && resource?.isKeyed)
      facts.violated('33', `${who}: ${resource.name} costs another refresh`);
    const isOfOneKind = candidates.every((each) => each.kind === kind);
    for (const each of candidates)
      this.budget[each.kind].push({ real, jumps, isCertain: isOfOneKind && each === cause });
    this.unaccepted = isAccepted ? 0 : this.unaccepted + 1;
    this.forcedReal = real;
    this.inARow.push(cause);
    if (this.isFast && jumps === 0 && this.inARow.length > 2 && this.inARow.every(({ isLag }) => isLag))
      facts.violated('33', `a lag of 1.5 s cost ${String(this.inARow.length + 1)} tokens`);
    if (resource) {
      // One entry for each resource.
      clear(resource);
      resource.spent[kind] = real;
    }
    cause.isCause = true;
    return cause;
  }

  /** The source is asked: what was rejected before is settled by what comes. */
  asked(isForced: boolean): void {
    this.recent = [];
    if (!isForced) this.inARow = [];
  }

  fetchFailed(cause: Rejection | null): void {
    this.recent = [];
    this.inARow = [];
    if (cause?.resource) cause.resource.spent[cause.kind] = null;
  }

  arrived({ value, isSame, isKept }: Arrival, cause: Rejection | null, isOfHeld: boolean, isScheduled: boolean): void {
    this.recent = [];
    if (cause?.resource) cause.resource.fetchedAt = this.facts.real;
    // The same token again changes nothing for the resources that it was not fetched for.
    if (!isSame || cause?.resource) this.fetchedFor = cause?.resource ?? null;
    if (cause && value !== cause.token) cause.fetched = value;
    // The issuer vouches for the token: the resources that rejected it are remembered.
    if (isOfHeld)
      for (const rejection of this.waiting) {
        if (rejection.token !== value || rejection.outcome !== 'refreshing') continue;
        if (rejection.isFinal && !rejection.isCause) continue;
        rejection.cameAgain = true;
        if (rejection.resource) this.confirm(rejection.resource, rejection.kind);
      }
    if (isScheduled && !isSame && isKept) this.forgetBare();
  }

  /** A rejected request is over, or its caller has left. `sent`: the token of the repeat. */
  ended(rejection: Rejection, sent: string | null, answer: 'accepted' | 'rejected' | 'unknown'): void {
    this.waiting.delete(rejection);
    const { resource, kind, fetched, isCause, isFinal, cameAgain } = rejection;
    if (sent !== null && answer === 'accepted') this.forgetBare();
    if (!isCause || isFinal || cameAgain || !resource) return;
    const isRejected = fetched !== null && sent !== null && answer === 'rejected';
    // What the resource has accepted meanwhile counts for more.
    if (isRejected) resource.confirmed[kind] = resource.spent[kind];
    else resource.spent[kind] = null;
  }

  private confirm(memory: ResourceMemory, kind: Kind): void {
    const { spent, confirmed } = memory;
    memory.fetchedAt = this.facts.real;
    confirmed[kind] = spent[kind] ??= this.facts.real;
  }

  accepted(resource: ResourceMemory, token: string): void {
    const { held } = this.tokens;
    if (held?.value === token) held.isAccepted = true;
    this.unaccepted = 0;
    this.inARow = [];
    if (!resource.isKeyed) return;
    if (this.fetchedFor === resource && held?.value === token) this.fetchedFor = null;
    resource.rejections = 0;
    clear(resource);
  }

  private forgetBare(): void {
    for (const { spent, confirmed } of this.memories) spent.bare = confirmed.bare = null;
  }

  /** The session ends. */
  forget(): void {
    // A refresh may have been announced for one of them, and was not made.
    const { real, jumps } = this.facts;
    for (const { kind } of this.recent) this.budget[kind].push({ real, jumps, isCertain: false });
    this.recent = [];
    this.unaccepted = 0;
    this.inARow = [];
    for (const memory of this.memories) {
      memory.rejections = 0;
      clear(memory);
    }
  }

  /** Between two things that happen. */
  settled(isAsking: boolean): void {
    const { held } = this.tokens;
    if (this.facts.isClosed) return;
    if (this.pending[0]) this.facts.violated('38', `nothing said that ${this.pending[0].token} was rejected`);
    const { aside } = this;
    if (held?.suspended === 'unsure' && isAsking && aside?.isCertain && aside.rejection.outcome === 'refreshing')
      held.suspended = 'yes';
  }
}
