import type { RefreshReason, TokenRequest } from 'rx-fresh-token';
import type { Facts } from './facts.js';
import type { Failures } from './failures.js';
import type { TokenAnswer } from './history.js';
import { lifetimeOf, type Issued } from './lifetimes.js';
import type { Rejections } from './rejections.js';
import type { Rejection } from './resourceMemory.js';
import type { Tokens } from './tokens.js';

interface Fetch {
  readonly request: TokenRequest;
  readonly reason: RefreshReason;
  readonly real: number;
  readonly clock: number;
  readonly jumps: number;
  /** The rejection that it is made for, or those of which it may be. */
  readonly causes: readonly Rejection[];
  isOver: boolean;
  isCancelled: boolean;
  isTimedOut: boolean;
}

/** When the source is asked, why, and how many times at once. Guarantees 1, 6, 8, 9, 12, 26 and 36. */
export class Fetches {
  live = 0;
  /** What `refreshStarted` must have announced. */
  readonly asks: string[] = [];
  private fetch: Fetch | null = null;
  private readonly givenUp: TokenRequest[] = [];
  /** How often `refresh()` was called since the source was last asked. */
  private manual = 0;
  private stuckSince = Infinity;
  private isIdle = false;
  private announced: RefreshReason | null = null;

  constructor(
    private readonly facts: Facts,
    private readonly tokens: Tokens,
    private readonly rejections: Rejections,
    private readonly failures: Failures,
  ) {}

  get isAsking(): boolean {
    return this.live > 0;
  }

  /** The same, and no answer is too late already. */
  get isFetching(): boolean {
    return this.isAsking && this.fetch?.isTimedOut !== true;
  }

  /** A refresh is under way: an attempt, or the pause before the next one. */
  get isRefreshing(): boolean {
    return this.isFetching || (!this.isIdle && this.failures.isRetrying);
  }

  /** The source is being asked for another token because this one was rejected. */
  get isReplacing(): boolean {
    if (this.announced === 'rejected') return true;
    return this.isFetching && this.fetch?.reason === 'rejected';
  }

  /** `refreshStarted` is emitted, before the source is asked. */
  started(reason: RefreshReason | null): void {
    this.announced = reason;
  }

  /** `refresh()` is called. */
  forced(): void {
    this.failures.endPause();
    this.manual++;
  }

  /** `idle` was emitted: the refresh, if there was one, is given up. */
  idle(): void {
    this.isIdle = true;
  }

  asked(request: TokenRequest, isNeeded: boolean): void {
    const { facts, tokens, failures } = this;
    const { real, clock, jumps } = facts;
    const { reason, attempt } = request;
    this.asks.push(`${reason} ${String(attempt)}`);
    this.announced = null;
    if (facts.isClosed) facts.violated('26', 'a token was asked for after close()');
    if (facts.isSignedOut && facts.starting === 0)
      facts.violated('36', 'a token was asked for, though nobody used the new session');
    // Somebody who was about to use the stream when the session ended uses the new one.
    facts.isSignedOut = false;
    if (this.live > 0) facts.violated('8', 'two token fetches at once');
    if (request.signal.aborted) facts.violated('TokenRequest', 'the signal is aborted already');
    if (tokens.previous !== undefined && request.previous?.value !== tokens.previous?.value)
      facts.violated('TokenRequest', `previous is ${String(request.previous?.value)}`);
    failures.asked(attempt);
    if (attempt === 1) this.checkReason(reason, isNeeded);
    this.manual = 0;
    const isRetry = attempt > 1;
    const causes = reason !== 'rejected' ? [] : isRetry ? (this.fetch?.causes ?? []) : this.rejections.forced();
    this.rejections.asked(reason === 'rejected');
    const states = { isOver: false, isCancelled: false, isTimedOut: false };
    this.fetch = { request, reason, real, clock, jumps, causes, ...states };
    this.live++;
    tokens.asksSince++;
  }

  private checkReason(reason: RefreshReason, isNeeded: boolean): void {
    const { facts, tokens } = this;
    if (reason === 'initial' && tokens.previous) facts.violated('reason', 'initial, though there was a token');
    if (reason === 'manual' && this.manual === 0) facts.violated('reason', 'manual, though nobody called refresh()');
    if (reason === 'scheduled') this.checkDue();
    // A refresh that somebody forced is made, even if nobody waits for it any more.
    if (reason !== 'manual' && reason !== 'rejected') this.checkWanted(isNeeded);
  }

  private checkDue(): void {
    const { held } = this.tokens;
    const { clock } = this.facts;
    if (!held || held.isUnsure) return;
    const { dueFrom } = held;
    if (clock < dueFrom) this.facts.violated('1', `renewed ${String(dueFrom - clock)} ms too early`);
  }

  private checkWanted(isNeeded: boolean): void {
    const { facts } = this;
    const { previous } = this.tokens;
    const isHidden = facts.real <= facts.hiddenUntil;
    if (previous === undefined || facts.insideAction || facts.jumps > 0 || isNeeded || isHidden) return;
    const life = previous ? previous.endsAt - previous.issuedAt : 0;
    if (facts.clock - facts.lastActivity > (facts.options.idleTimeout ?? life))
      facts.violated('6', 'renewed, though nobody needs it');
  }

  /** The source is about to emit this. */
  answered(issued: Issued | null, answer: TokenAnswer): void {
    const { fetch, facts, tokens, failures } = this;
    if (!fetch || fetch.isOver) return;
    fetch.isOver = true;
    this.live--;
    if (facts.isClosed || fetch.isCancelled) return;
    if (!issued) {
      this.failed(answer);
      return;
    }
    if (this.isTooLate(issued, fetch)) {
      this.failed({ kind: 'hang', latency: null });
      return;
    }
    const isOfHeld = tokens.held?.value === issued.value;
    const arrival = tokens.arrive(issued, fetch);
    failures.forget();
    if (!arrival.isKept) failures.pauseAfterUnkept(fetch);
    if (arrival.isSame || !arrival.isKept) facts.trouble();
    this.rejections.arrived(arrival, fetch.causes, isOfHeld, fetch.reason !== 'rejected' && fetch.reason !== 'manual');
  }

  /** The machine has slept past `fetchTimeout`, and the token is over. */
  private isTooLate(issued: Issued, fetch: Fetch): boolean {
    const { facts, tokens } = this;
    const { overAt } = lifetimeOf(issued, fetch, tokens.previous, facts);
    return facts.clock - fetch.clock > (facts.options.fetchTimeout ?? 10_000) && overAt <= facts.clock;
  }

  private failed(answer: TokenAnswer): void {
    const { fetch } = this;
    this.failures.failed(answer, fetch);
    this.isIdle = false;
    this.rejections.fetchFailed(fetch?.causes ?? []);
  }

  /** `refreshFailed` was emitted. */
  told(error: unknown, message: string, retryIn: number | null, isPermanent: boolean): void {
    const { failures } = this;
    if (message.includes('already expired')) {
      failures.toldUnkept();
      return;
    }
    if (message.includes('lifetime of the token is unknown')) {
      failures.toldUnread();
      return;
    }
    if (!failures.isUntold) this.timedOut();
    failures.told(error, message, retryIn, isPermanent);
  }

  /** The stream gives up a fetch: it may do so only at the end of `fetchTimeout`. */
  private timedOut(): void {
    const { fetch, facts } = this;
    if (!fetch || fetch.isOver || fetch.isCancelled) return;
    fetch.isTimedOut = true;
    const waited = facts.real - fetch.real;
    if (waited !== (facts.options.fetchTimeout ?? 10_000))
      facts.violated('9', `a token fetch was given up after ${String(waited)} ms`);
    this.failed({ kind: 'hang', latency: null });
  }

  /** The stream no longer listens to the source. */
  released(request: TokenRequest): void {
    const { fetch, facts } = this;
    if (fetch?.request !== request || fetch.isOver) return;
    this.givenUp.push(request);
    if (!facts.isClosed && !fetch.isCancelled && !fetch.isTimedOut) this.timedOut();
    fetch.isOver = true;
    this.live--;
  }

  /** The session ends: the fetch under way belongs to it. */
  forget(): void {
    if (this.fetch) this.fetch.isCancelled = true;
    this.failures.forget();
    this.manual = 0;
  }

  /** After each thing that happens. */
  settled(waiting: number): void {
    const { facts, tokens, failures } = this;
    if (this.givenUp.splice(0).some(({ signal }) => !signal.aborted))
      facts.violated('26', 'a token fetch was given up without aborting its signal');
    if (facts.isClosed) return;
    if (failures.isUntold) facts.violated('38', 'nothing said that a fetch failed');
    if (this.fetch?.isCancelled && !this.fetch.isOver) facts.violated('36', 'a token fetch goes on after signOut()');
    const isNeeded = waiting > 0 || (facts.listeners > 0 && !facts.isSignedOut);
    const isStuck = isNeeded && this.live === 0 && tokens.mayServe() === null && !failures.isPausing;
    if (!isStuck) this.stuckSince = Infinity;
    else if (this.stuckSince < facts.real) facts.violated('12', 'somebody waits, and nobody asks for a token');
    else this.stuckSince = facts.real;
    const { held } = tokens;
    if (facts.listeners === 0 || !held || held.isUnsure || tokens.asksSince > 0 || failures.isPausing) return;
    if (facts.real - held.arrivedReal > Math.max(0, held.dueBy - held.arrivedClock))
      facts.violated('1', 'the renewal is late');
  }
}
