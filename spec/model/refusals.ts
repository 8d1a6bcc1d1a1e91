import type { RejectionOutcome } from 'rx-fresh-token';
import type { Facts } from './facts.js';
import type { Arrival, Tokens } from './tokens.js';

export type Kind = 'bare' | 'explicit';

/** What a resource has refused, as far as its callers know. */
export interface ResourceMemory {
  readonly name: string;
  readonly isKeyed: boolean;
  /** Refusals since it last accepted a token. */
  refusals: number;
  /** When a refresh was last made for its refusals, and did not help. */
  readonly spent: Record<Kind, number | null>;
  /** Since when that is certain: it refused that token too, or the issuer gave the same one. */
  readonly confirmed: Record<Kind, number | null>;
  lastRefused: string | null;
  /** When a token last came that was fetched for it, or was vouched for. */
  fetchedAt: number;
}

export const newMemory = (name: string, isKeyed: boolean): ResourceMemory => ({
  name,
  isKeyed,
  refusals: 0,
  spent: { bare: null, explicit: null },
  confirmed: { bare: null, explicit: null },
  lastRefused: null,
  fetchedAt: -Infinity,
});

function clear({ spent, confirmed }: ResourceMemory): void {
  spent.bare = spent.explicit = confirmed.bare = confirmed.explicit = null;
}

/** A server's refusal of a token. */
export interface Refusal {
  readonly who: string;
  readonly token: string;
  readonly kind: Kind;
  readonly resource: ResourceMemory | null;
  readonly isLag: boolean;
  /** The request is not repeated, whatever comes. */
  readonly isFinal: boolean;
  isOfHeld: boolean;
  /** It may be passed on at once. */
  isExcused: boolean;
  /** A refresh for it would be one too many for its resource. */
  isSpent: boolean;
  outcome: RejectionOutcome | null;
  /** A refresh was forced by it. */
  isCause: boolean;
  /** The token that came of that. */
  fetched: string | null;
  /** The very token that was refused came again. */
  isVouched: boolean;
}

/** A refusal that has just been given, before the stream is told. */
export const newRefusal = (
  given: Pick<Refusal, 'who' | 'token' | 'kind' | 'resource' | 'isLag' | 'isFinal'>,
): Refusal => ({
  ...given,
  isOfHeld: false,
  isExcused: false,
  isSpent: false,
  outcome: null,
  isCause: false,
  fetched: null,
  isVouched: false,
});

const EXPLICIT_MEMORY = 60_000;

/** What refusals may cost, and when one may be passed on. */
export class Refusals {
  /** Refused, and not yet told of. */
  private readonly pending: Refusal[] = [];
  private recent: Refusal[] = [];
  private readonly budget: Record<Kind, { real: number; jumps: number; isCertain: boolean }[]> = {
    bare: [],
    explicit: [],
  };
  private readonly waiting = new Set<Refusal>();
  /** Forced refreshes in a row whose token nobody had accepted, and those since anything was accepted. */
  private unaccepted = 0;
  private inARow: Refusal[] = [];
  /** The resource for whose refusal the token at hand was fetched. */
  private fetchedFor: ResourceMemory | null = null;
  private forcedReal = -Infinity;
  private aside: { readonly refusal: Refusal; readonly isCertain: boolean } | null = null;

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

  /** Runs `pass`, which hands a refusal to the stream. */
  refuse(refusal: Refusal, pass: () => void): void {
    const { facts, tokens } = this;
    const { resource, kind } = refusal;
    const { held } = tokens;
    const isOfSession = !facts.isSignedOut && tokens.sessions.get(refusal.token) === facts.session;
    refusal.isOfHeld = held?.value === refusal.token;
    const isPaused =
      !held?.isAccepted && this.unaccepted > 0 && facts.real - this.forcedReal < this.pauseOfUnaccepted();
    refusal.isExcused =
      facts.jumps > 0 ||
      !isOfSession ||
      this.isRemembered(refusal) ||
      this.spentOf(kind, false) >= this.max ||
      isPaused ||
      this.source.isBlocked();
    refusal.isSpent = this.isActive(resource?.spent, kind);
    if (resource) {
      resource.refusals++;
      resource.lastRefused = refusal.token;
    }
    if (held && refusal.isOfHeld && kind === 'explicit' && held.setAside === 'no') {
      held.setAside = 'unsure';
      this.aside = { refusal, isCertain: !this.source.isPausing() };
    }
    this.pending.push(refusal);
    // It joins the refresh under way.
    if (!this.source.isRefreshing()) this.recent.push(refusal);
    this.waiting.add(refusal);
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
  private isRemembered({ resource, kind, isOfHeld, isFinal }: Refusal): boolean {
    if (!resource?.isKeyed) return false;
    // What has delivered a value counts as accepted and as refused: it says little.
    if (isFinal) return resource.lastRefused !== null;
    // Whether the token that was fetched for it helps is not known before it answers.
    const isRecent = kind === 'bare' || this.facts.real < resource.fetchedAt + EXPLICIT_MEMORY;
    if (this.isActive(resource.confirmed, kind)) return true;
    if (isOfHeld) return isRecent && (resource.refusals > 0 || this.fetchedFor === resource);
    return this.isActive(resource.confirmed, kind) || resource.lastRefused === this.tokens.held?.value;
  }

  /** `tokenRejected` was emitted. */
  told(token: string, outcome: RejectionOutcome): void {
    const { facts } = this;
    const index = this.pending.findIndex((each) => each.token === token);
    const [refusal] = index < 0 ? [] : this.pending.splice(index, 1);
    if (!refusal) {
      facts.fault('events', `said that ${token} was rejected, which is not so`);
      return;
    }
    refusal.outcome = outcome;
    if (outcome === 'suppressed' && !refusal.isExcused)
      facts.fault('3.6', `the refusal of ${refusal.who} was passed on without a reason`);
    if (outcome === 'alreadyReplaced' && refusal.isOfHeld) facts.fault('B15', `${token} was not replaced`);
    if (outcome === 'refreshing' && !refusal.isOfHeld) facts.fault('B15', `${token} was replaced already`);
  }

  /** A refresh is forced by a refusal: which one? */
  forced(): Refusal | null {
    const { facts, tokens } = this;
    const { real, jumps } = facts;
    const candidates = this.recent.filter(
      ({ token, outcome }) => token === tokens.held?.value && outcome !== 'suppressed' && outcome !== 'alreadyReplaced',
    );
    const [cause] = candidates;
    if (!cause) {
      facts.fault('B15', 'a refresh was forced, though no current token was refused');
      return null;
    }
    const { resource, kind, who } = cause;
    const isCertain = jumps === 0 && candidates.length === 1;
    const isAccepted = tokens.held?.isAccepted === true;
    if (isCertain && this.spentOf(kind, true) >= this.max)
      facts.fault('B18', `${kind} refusals forced more than ${String(this.max)} refreshes`);
    if (isCertain && !isAccepted && this.unaccepted > 0 && real - this.forcedReal < this.pauseOfUnaccepted())
      facts.fault('3.6', `a token that nobody accepted was replaced too soon`);
    if (isCertain && cause.isSpent && resource?.isKeyed)
      facts.fault('3.6', `${who}: ${resource.name} costs another refresh`);
    const isOfOneKind = candidates.every((each) => each.kind === kind);
    for (const each of candidates)
      this.budget[each.kind].push({ real, jumps, isCertain: isOfOneKind && each === cause });
    this.unaccepted = isAccepted ? 0 : this.unaccepted + 1;
    this.forcedReal = real;
    this.inARow.push(cause);
    if (this.isFast && jumps === 0 && this.inARow.length > 2 && this.inARow.every(({ isLag }) => isLag))
      facts.fault('3.6', `a lag of 1.5 s cost ${String(this.inARow.length + 1)} tokens`);
    if (resource) {
      // One entry for each resource.
      clear(resource);
      resource.spent[kind] = real;
    }
    cause.isCause = true;
    return cause;
  }

  /** The source is asked: what was refused before is settled by what comes. */
  asked(isForced: boolean): void {
    this.recent = [];
    if (!isForced) this.inARow = [];
  }

  fetchFailed(cause: Refusal | null): void {
    this.recent = [];
    this.inARow = [];
    if (cause?.resource) cause.resource.spent[cause.kind] = null;
  }

  arrived({ value, isSame, isKept }: Arrival, cause: Refusal | null, isOfHeld: boolean, isScheduled: boolean): void {
    this.recent = [];
    if (cause?.resource) cause.resource.fetchedAt = this.facts.real;
    if (!isSame) this.fetchedFor = cause?.resource ?? null;
    if (cause && value !== cause.token) cause.fetched = value;
    // The issuer vouches for the token: the resources that refused it are remembered.
    if (isOfHeld)
      for (const refusal of this.waiting) {
        if (refusal.token !== value || refusal.outcome !== 'refreshing') continue;
        if (refusal.isFinal && !refusal.isCause) continue;
        refusal.isVouched = true;
        if (refusal.resource) this.confirm(refusal.resource, refusal.kind);
      }
    if (isScheduled && !isSame && isKept) this.forgetBare();
  }

  /** A refused request is over, or its caller has left. `sent`: the token of the repeat. */
  ended(refusal: Refusal, sent: string | null, answer: 'accepted' | 'refused' | 'unknown'): void {
    this.waiting.delete(refusal);
    const { resource, kind, fetched, isCause, isFinal, isVouched } = refusal;
    if (sent !== null && answer === 'accepted') this.forgetBare();
    if (!isCause || isFinal || isVouched || !resource) return;
    const isRefused = fetched !== null && sent !== null && answer === 'refused';
    // What the resource has accepted meanwhile counts for more.
    if (isRefused) resource.confirmed[kind] = resource.spent[kind];
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
    resource.refusals = 0;
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
      memory.refusals = 0;
      clear(memory);
    }
  }

  /** Between two things that happen. */
  settled(isAsking: boolean): void {
    const { held } = this.tokens;
    if (this.facts.isClosed) return;
    if (this.pending[0]) this.facts.fault('events', `nothing said that ${this.pending[0].token} was rejected`);
    const { aside } = this;
    if (held?.setAside === 'unsure' && isAsking && aside?.isCertain && aside.refusal.outcome === 'refreshing')
      held.setAside = 'yes';
  }
}
