import type { RefreshReason, TokenRequest } from 'rx-fresh-token';
import type { Facts } from './facts.js';
import type { TokenAnswer } from './history.js';
import type { Rejection, Rejections } from './rejections.js';
import type { Issued } from './lifetimes.js';
import type { Tokens } from './tokens.js';

interface Fetch {
  readonly request: TokenRequest;
  readonly reason: RefreshReason;
  readonly real: number;
  readonly clock: number;
  readonly jumps: number;
  /** The rejection that it is made for. */
  readonly cause: Rejection | null;
  isOver: boolean;
  isCancelled: boolean;
  isTimedOut: boolean;
}

interface Failure {
  readonly real: number;
  readonly seq: number;
  readonly jumps: number;
  readonly isPermanent: boolean;
  /** Bounds of the pause after it. */
  readonly atLeast: number;
  readonly atMost: number;
  /** What the event says. */
  exact: number | null;
}

const MAX_RETRY_AFTER = 300_000;
const FIRST_PAUSE = 250;
const isPermanentKind = (kind: TokenAnswer['kind']) =>
  kind === 'permanent' || kind === 'oauthError' || kind === 'mistake';

/** When the source may be asked, and how often. */
export class Fetches {
  live = 0;
  failure: Failure | null = null;
  failures = 0;
  /** When the last permanent failure, and the last failure of any kind, came. */
  permanentSeq = -1;
  failureSeq = -1;
  lastError: unknown = undefined;
  readonly asks: string[] = [];
  private fetch: Fetch | null = null;
  private readonly givenUp: TokenRequest[] = [];
  private askedReal = -Infinity;
  private unkept: { readonly real: number; readonly jumps: number } | null = null;
  /** Somebody called `refresh()`, or the stream was woken, since the last failure. */
  private isPauseEnded = false;
  private manual = 0;
  /** Permanent failures without anything between them. */
  private permanents = { since: 0, count: 0, isSteady: false };
  private stuckSince = Infinity;
  private readonly untold: Failure[] = [];
  private unkeptTold = 0;
  private isIdle = false;

  constructor(
    private readonly facts: Facts,
    private readonly tokens: Tokens,
    private readonly rejections: Rejections,
    private readonly isConstant: boolean,
  ) {}

  /** A failure is told of later, after the event that is being told. */
  get isUntold(): boolean {
    return this.untold.length > 0;
  }

  get isAsking(): boolean {
    return this.live > 0;
  }

  /** Nobody is told yet, but the source said no for good, and is not asked for a while. */
  get isBlocked(): boolean {
    const { failure, facts } = this;
    return !!failure?.isPermanent && facts.real <= failure.real + failure.atMost;
  }

  endPause(isManual: boolean): void {
    this.isPauseEnded = true;
    this.permanents.isSteady = false;
    if (isManual) this.manual++;
  }

  asked(request: TokenRequest, isNeeded: boolean): void {
    const { facts, tokens, failure } = this;
    const { real, clock } = facts;
    const { reason, attempt } = request;
    this.asks.push(`${reason} ${String(attempt)}`);
    if (facts.isClosed) facts.violated('26', 'a token was asked for after close()');
    if (facts.isSignedOut && facts.starting === 0)
      facts.violated('36', 'a token was asked for, though nobody used the new session');
    // Somebody who was about to use the stream when the session ended uses the new one.
    facts.isSignedOut = false;
    if (this.live > 0) facts.violated('8', 'two token fetches at once');
    if (request.signal.aborted) facts.violated('TokenRequest', 'the signal is aborted already');
    if (tokens.previous !== undefined && request.previous?.value !== tokens.previous?.value)
      facts.violated('TokenRequest', `previous is ${String(request.previous?.value)}`);
    this.pausesAreKept(attempt);
    if (attempt === 1) {
      if (reason === 'initial' && tokens.previous) facts.violated('reason', 'initial, though there was a token');
      if (reason === 'manual' && this.manual === 0) facts.violated('reason', 'manual, though nobody called refresh()');
      if (reason === 'scheduled') this.isDue();
      // Who forces a refresh and leaves is served all the same.
      if (reason !== 'manual' && reason !== 'rejected') this.isAllowedWhenIdle(isNeeded, clock);
    } else if (failure?.exact == null && this.untold.length === 0)
      facts.violated('11', `attempt ${String(attempt)} came unannounced`);
    this.manual = 0;
    const cause = reason !== 'rejected' ? null : attempt > 1 ? (this.fetch?.cause ?? null) : this.rejections.forced();
    this.rejections.asked(reason === 'rejected');
    this.fetch = {
      request,
      reason,
      real,
      clock,
      jumps: facts.jumps,
      cause,
      isOver: false,
      isCancelled: false,
      isTimedOut: false,
    };
    this.live++;
    this.askedReal = real;
    tokens.asksSince++;
  }

  private isDue(): void {
    const { held } = this.tokens;
    const { clock, real } = this.facts;
    if (
      held &&
      !held.isUnsure &&
      Math.max(clock, held.latestClock) < held.dueFrom &&
      real - held.arrivedReal < held.dueFrom - held.arrivedClock
    )
      this.facts.violated('1', `renewed ${String(held.dueFrom - clock)} ms too early`);
  }

  private isAllowedWhenIdle(isNeeded: boolean, clock: number): void {
    const { facts } = this;
    const { previous } = this.tokens;
    if (previous === undefined || facts.insideAction || facts.jumps > 0 || isNeeded || facts.real <= facts.hiddenUntil)
      return;
    const life = previous ? previous.endsAt - previous.issuedAt : 0;
    if (clock - facts.lastActivity > (facts.options.idleTimeout ?? life))
      facts.violated('6', 'renewed, though nobody needs it');
  }

  private pausesAreKept(attempt: number): void {
    const { facts, failure, unkept, permanents } = this;
    const { real, jumps } = facts;
    if (unkept?.jumps === jumps && real < unkept.real + 1000)
      facts.violated('3', 'asked again within one second of a token without life');
    if (failure?.jumps !== jumps) return;
    const waited = real - failure.real;
    const least = Math.max(failure.atLeast, failure.exact ?? 0);
    const isEarly = this.isPauseEnded
      ? waited < least && real < this.askedReal + FIRST_PAUSE
      : waited < least || (attempt > 1 && waited !== failure.exact);
    if (isEarly)
      facts.violated(
        '29',
        `asked ${String(waited)} ms after a failure, ${String(least)} were due${this.isPauseEnded ? ' or 250 since the last request' : ''}`,
      );
    if (!permanents.isSteady) return;
    const elapsed = real - permanents.since;
    if (++permanents.count > 12 + Math.max(0, Math.ceil((elapsed - 60_000) / 55_000)))
      facts.violated(
        '29',
        `${String(permanents.count)} requests in ${String(elapsed)} ms to a source that says no for ever`,
      );
  }

  /** The source is about to yield this. */
  answered(issued: Issued | null, answer: TokenAnswer): void {
    const { fetch, facts, tokens } = this;
    if (!fetch || fetch.isOver) return;
    fetch.isOver = true;
    this.live--;
    if (facts.isClosed || fetch.isCancelled) return;
    if (!issued) {
      this.failed(answer);
      return;
    }
    const isOfHeld = tokens.held?.value === issued.value;
    const arrival = tokens.arrive(issued, fetch);
    this.forgetFailures();
    if (!arrival.isKept) this.unkept = { real: fetch.real, jumps: fetch.jumps };
    if (arrival.isSame || !arrival.isKept) facts.trouble();
    this.rejections.arrived(arrival, fetch.cause, isOfHeld, fetch.reason !== 'rejected' && fetch.reason !== 'manual');
  }

  private failed({ kind, retryAfter }: TokenAnswer): void {
    const { facts, tokens, fetch } = this;
    const { real } = facts;
    const jumps = fetch?.jumps ?? facts.jumps;
    const isPermanent = isPermanentKind(kind);
    this.failures++;
    facts.trouble();
    if (tokens.held) tokens.held.suspended = 'no';
    const asked = kind === 'transient' ? Math.min(retryAfter ?? 0, MAX_RETRY_AFTER) : 0;
    const { previous } = tokens;
    const life = previous ? previous.endsAt - previous.issuedAt : Infinity;
    const longest = isPermanent ? 60_000 : Math.min(10_000, (life || Infinity) / 6);
    const step = Math.min(longest, FIRST_PAUSE * 2 ** (this.failures - 1));
    const atMost = Math.max(50, Math.round(step), asked);
    const drawn = this.isConstant && previous !== undefined && tokens.mayServe() === null ? Math.round(step / 2) : 0;
    const atLeast = Math.max(50, isPermanent ? step : drawn, asked);
    this.failure = {
      real,
      seq: ++facts.seq,
      jumps,
      isPermanent,
      atLeast: facts.jumps > 0 ? 50 : atLeast,
      atMost,
      exact: null,
    };
    this.untold.push(this.failure);
    this.failureSeq = this.failure.seq;
    if (isPermanent) this.permanentSeq = this.failure.seq;
    if (!isPermanent || facts.jumps > 0) this.permanents.isSteady = false;
    else if (!this.permanents.isSteady) this.permanents = { since: fetch?.real ?? real, count: 1, isSteady: true };
    this.isPauseEnded = this.isIdle = false;
    this.rejections.fetchFailed(fetch?.cause ?? null);
  }

  /** `refreshFailed` was emitted. */
  told(error: unknown, message: string, retryIn: number | null, isPermanent: boolean): void {
    const { facts } = this;
    if (message.includes('already expired')) {
      if (++this.unkeptTold > 1) facts.violated('3', 'said more than once that a token cannot be kept');
      return;
    }
    if (this.untold.length === 0) this.timedOut();
    const failure = this.untold.shift();
    if (!failure) {
      facts.violated('38', `a failure was told that did not happen: ${message}`);
      return;
    }
    if (failure === this.failure) this.lastError = error;
    if (isPermanent !== failure.isPermanent)
      facts.violated('12', `a failure was told as permanent: ${String(isPermanent)}`);
    if (retryIn === null) return;
    failure.exact = retryIn;
    if (facts.jumps === 0 && (retryIn > failure.atMost || retryIn < failure.atLeast))
      facts.violated(
        '29',
        `a pause of ${String(retryIn)} ms, not ${String(failure.atLeast)} to ${String(failure.atMost)}`,
      );
  }

  private forgetFailures(): void {
    this.failure = null;
    this.failures = 0;
    this.unkept = null;
    this.lastError = undefined;
    this.isPauseEnded = false;
    this.permanents.isSteady = false;
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
    this.forgetFailures();
    this.manual = 0;
  }

  /** Somebody who needs a token now may have to wait for a pause to end. */
  get mayPause(): boolean {
    return !this.isAsking && (this.failure !== null || this.unkept !== null);
  }

  /** `idle` was emitted: the refresh, if there was one, is given up. */
  idle(): void {
    this.isIdle = true;
  }

  /** A refresh is under way: an attempt, or the pause before the next one. */
  get isRefreshing(): boolean {
    const { failure, facts } = this;
    const isAsking = this.isAsking && this.fetch?.isTimedOut !== true;
    return isAsking || (!this.isIdle && failure?.exact != null && facts.real < failure.real + failure.exact);
  }

  /** No attempt is due yet. After the clock was set, nobody can tell. */
  get isPausing(): boolean {
    const { failure, unkept, facts } = this;
    return (
      facts.jumps > 0 ||
      (!!failure && facts.real <= failure.real + failure.atMost) ||
      (!!unkept && facts.real <= unkept.real + 1000)
    );
  }

  /** Between two things that happen. */
  settled(waiting: number): void {
    const { facts, tokens } = this;
    const { real } = facts;
    if (this.givenUp.splice(0).some(({ signal }) => !signal.aborted))
      facts.violated('26', 'a token fetch was given up without aborting its signal');
    if (facts.isClosed) return;
    if (this.untold.length > 0) facts.violated('38', 'nothing said that a fetch failed');
    if (this.fetch?.isCancelled && !this.fetch.isOver) facts.violated('36', 'a token fetch goes on after signOut()');
    const isNeeded = waiting > 0 || (facts.listeners > 0 && !facts.isSignedOut);
    const isStuck = isNeeded && this.live === 0 && tokens.mayServe() === null && !this.isPausing;
    if (!isStuck) this.stuckSince = Infinity;
    else if (this.stuckSince < real) facts.violated('12', 'somebody waits, and nobody asks for a token');
    else this.stuckSince = real;
    const { held } = tokens;
    if (facts.listeners === 0 || !held || held.isUnsure || tokens.asksSince > 0 || this.isPausing) return;
    if (real - held.arrivedReal > Math.max(0, held.dueBy - held.arrivedClock))
      facts.violated('1', 'the renewal is late');
  }
}
