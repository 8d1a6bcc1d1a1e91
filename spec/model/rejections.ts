import type { RejectionOutcome } from 'rx-fresh-token';
import type { Facts } from './facts.js';
import { RefreshBudget } from './refreshBudget.js';
import * as memory from './resourceMemory.js';
import type { Kind, Rejection, ResourceMemory } from './resourceMemory.js';
import type { Arrival, Tokens } from './tokens.js';

/** What becomes of rejections, and when one may be passed on. Guarantees 15, 17, 19, 33 and 34. */
export class Rejections {
  /** Rejected, and not yet told of. */
  private readonly pending: Rejection[] = [];
  private recent: Rejection[] = [];
  private readonly budget: RefreshBudget;
  private readonly waiting = new Set<Rejection>();
  /**
   * The resources for whose rejections a token was fetched, until they accept one. A renewal on schedule ends that of
   * bare rejections.
   */
  private readonly fetchedFor = new Map<ResourceMemory, Kind>();
  /** The explicit rejection for which requests wait now. */
  private suspendedBy: { readonly rejection: Rejection; readonly isCertain: boolean } | null = null;

  constructor(
    private readonly facts: Facts,
    private readonly tokens: Tokens,
    private readonly memories: readonly ResourceMemory[],
    isFast: boolean,
    private readonly source: {
      readonly isBlocked: () => boolean;
      readonly isPausing: () => boolean;
      readonly isFarFromAttempt: () => boolean;
      readonly isRefreshing: () => boolean;
      readonly isReplacing: () => boolean;
    },
  ) {
    this.budget = new RefreshBudget(facts, isFast);
  }

  /** Runs `pass`, which hands a rejection to the stream. */
  reject(rejection: Rejection, pass: () => void): void {
    const { facts, tokens } = this;
    const { resource, kind } = rejection;
    const { held } = tokens;
    const isOfSession = !facts.isSignedOut && rejection.session === facts.session;
    rejection.isOfHeld = held?.value === rejection.token;
    rejection.isUnsure = held?.isUnsure === true;
    rejection.isExcused =
      facts.jumps > 0 ||
      !isOfSession ||
      this.isRemembered(rejection) ||
      this.budget.mayBeSpent(kind, held?.isAccepted === true) ||
      this.source.isFarFromAttempt() ||
      this.source.isBlocked();
    rejection.isSpent = memory.isActive(resource?.spent, kind, facts.real, this.bareMemory);
    if (resource) {
      resource.rejections++;
      resource.lastRejected = rejection.token;
    }
    const isServed = tokens.mayServe() === rejection.token;
    if (held && isServed && kind === 'explicit' && held.suspended === 'no') {
      held.suspended = 'unsure';
      this.suspendedBy = { rejection, isCertain: !this.source.isPausing() };
    }
    this.pending.push(rejection);
    // It joins the refresh under way.
    if (!this.source.isRefreshing()) this.recent.push(rejection);
    this.waiting.add(rejection);
    pass();
  }

  private get bareMemory(): number {
    return this.tokens.held?.life === Infinity ? memory.BARE_MEMORY : Infinity;
  }

  /** Another refresh would not help the resource, or it is seen only now whether the last one did. */
  private isRemembered({ resource, kind, isOfHeld, isFinal }: Rejection): boolean {
    if (!resource?.isKeyed) return false;
    // A request that has delivered a value is not repeated: it does not show whether the next token helps.
    if (isFinal) return resource.lastRejected !== null;
    // Whether the token that was fetched for it helps is not known before it answers.
    const lasts = kind === 'bare' ? this.bareMemory : memory.EXPLICIT_MEMORY;
    const isRecent = this.facts.real - resource.fetchedAt < lasts || lasts === Infinity;
    if (memory.isActive(resource.confirmed, kind, this.facts.real, this.bareMemory)) return true;
    if (isOfHeld) return isRecent && (resource.rejections > 0 || this.fetchedFor.has(resource));
    return resource.lastRejected === this.tokens.held?.value;
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
    if (outcome === 'suppressed' && this.suspendedBy?.rejection === rejection) {
      // One that came before the event of this one was told, in a listener, may have set the token aside as well.
      const next = this.pending.find((each) => each.token === token && each.kind === 'explicit' && each.isOfHeld);
      this.suspendedBy = next ? { rejection: next, isCertain: false } : null;
      if (!next && this.tokens.held?.suspended === 'unsure') this.tokens.held.suspended = 'no';
    }
    if (outcome === 'suppressed' && !rejection.isExcused)
      facts.violated('18', `the rejection of ${rejection.who} was passed on without a reason`);
    if (rejection.isUnsure) return;
    if (outcome === 'alreadyReplaced' && rejection.isOfHeld) facts.violated('15', `${token} was not replaced`);
    if (outcome === 'refreshing' && !rejection.isOfHeld) facts.violated('15', `${token} was replaced already`);
  }

  /** A refresh is forced by one of these rejections. Where a listener acted meanwhile, it is not certain by which. */
  forced(): readonly Rejection[] {
    const { facts, tokens } = this;
    const candidates = this.recent.filter(
      ({ token, outcome }) => token === tokens.held?.value && outcome !== 'suppressed' && outcome !== 'alreadyReplaced',
    );
    const [cause] = candidates;
    if (!cause) {
      facts.violated('15', 'a refresh was forced, though no current token was rejected');
      return [];
    }
    const { resource, who, isSpent } = cause;
    const isCertain = candidates.length === 1;
    if (isCertain && facts.jumps === 0 && isSpent && resource?.isKeyed)
      facts.violated('17', `${who}: ${resource.name} costs another refresh`);
    this.budget.forced(candidates, cause, tokens.held?.isAccepted === true);
    memory.spend(candidates, facts.real);
    cause.isCause = isCertain;
    return candidates;
  }

  /** The source is asked: what was rejected before is settled by what comes. */
  asked(isForced: boolean): void {
    this.recent = [];
    if (!isForced) this.budget.endRow();
  }

  fetchFailed(causes: readonly Rejection[]): void {
    this.recent = [];
    this.budget.endRow();
    for (const { resource, kind } of causes) if (resource) resource.spent[kind] = null;
  }

  arrived(
    { value, isSame, isKept }: Arrival,
    causes: readonly Rejection[],
    isOfHeld: boolean,
    isScheduled: boolean,
  ): void {
    this.recent = [];
    const resources = causes.map(({ resource }) => resource).filter((resource) => resource !== null);
    for (const resource of resources) resource.fetchedAt = this.facts.real;
    if (causes.length > 0) this.budget.arrived();
    // The same token again changes nothing for the resources that it was not fetched for.
    if (isScheduled && !isSame)
      for (const [resource, kind] of this.fetchedFor) if (kind === 'bare') this.fetchedFor.delete(resource);
    for (const { resource, kind } of causes)
      if (resource && this.fetchedFor.get(resource) !== 'explicit') this.fetchedFor.set(resource, kind);
    for (const cause of causes) if (value !== cause.token) cause.fetched = value;
    // It is valid, as far as its issuer knows: the resources that rejected it are remembered.
    if (isOfHeld)
      for (const rejection of this.waiting) {
        if (rejection.token !== value || rejection.outcome !== 'refreshing') continue;
        if (rejection.isFinal && !rejection.isCause) continue;
        rejection.cameAgain = true;
        if (rejection.resource) memory.confirm(rejection.resource, rejection.kind, this.facts.real);
      }
    if (isScheduled && !isSame && isKept) memory.forgetBare(this.memories);
  }

  /** A rejected request is over, or its caller has left. `sent`: the token of the repeat. */
  ended(rejection: Rejection, sent: string | null, answer: 'accepted' | 'rejected' | 'unknown'): void {
    this.waiting.delete(rejection);
    const { resource, kind, fetched, isCause, isFinal, cameAgain } = rejection;
    if (sent !== null && answer === 'accepted') memory.forgetBare(this.memories);
    if (!isCause || isFinal || cameAgain || !resource) return;
    const isRejected = fetched !== null && sent !== null && answer === 'rejected';
    // What the resource has accepted meanwhile counts for more.
    if (isRejected) resource.confirmed[kind] = resource.spent[kind];
    else resource.spent[kind] = null;
  }

  accepted(resource: ResourceMemory, token: string): void {
    const { held } = this.tokens;
    // What is accepted while it is being replaced says nothing of its successor.
    const isStaying = held?.value !== token || !this.source.isReplacing();
    if (held?.value === token && isStaying) held.isAccepted = true;
    // A late answer to an older token says nothing of those that came after it, even if none of them was kept.
    const { serials, arrival } = this.tokens;
    const newest = held?.value ?? arrival?.value ?? token;
    if (isStaying && serials.get(token)! >= serials.get(newest)!) this.budget.accepted();
    if (!resource.isKeyed) return;
    this.fetchedFor.delete(resource);
    resource.rejections = 0;
    memory.clear(resource);
  }

  /** The session ends. */
  forget(): void {
    // A refresh may have been announced for one of them, and was not made.
    for (const rejection of this.recent) this.budget.mayHaveForced(rejection);
    this.recent = [];
    this.fetchedFor.clear();
    this.budget.accepted();
    for (const each of this.memories) {
      each.rejections = 0;
      memory.clear(each);
    }
  }

  /** After each thing that happens. */
  settled(isAsking: boolean): void {
    const { held } = this.tokens;
    if (this.facts.isClosed) return;
    if (this.pending[0]) this.facts.violated('38', `nothing said that ${this.pending[0].token} was rejected`);
    const { isCertain, rejection } = this.suspendedBy ?? {};
    const isReplacing = isAsking && isCertain && rejection?.outcome === 'refreshing';
    if (held?.suspended === 'unsure' && isReplacing) held.suspended = 'yes';
  }
}
