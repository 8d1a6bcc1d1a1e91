import type { Facts } from './facts.js';
import type { TokenAnswer } from './history.js';
import type { Tokens } from './tokens.js';

interface Failure {
  readonly real: number;
  readonly seq: number;
  readonly jumps: number;
  readonly isPermanent: boolean;
  /** Bounds of the pause after it. */
  readonly atLeast: number;
  readonly atMost: number;
  /** The pause that its event names. */
  exact: number | null;
}

/** An attempt to fetch a token, as far as its failure depends on it. */
interface Attempt {
  readonly real: number;
  readonly jumps: number;
}

const MAX_RETRY_AFTER = 300_000;
const FIRST_PAUSE = 250;
/** The pause after a token that cannot be kept. */
const UNKEPT_PAUSE = 1000;
const isPermanentKind = (kind: TokenAnswer['kind']) =>
  kind === 'permanent' || kind === 'oauthError' || kind === 'mistake';

/** The failures of the token source since its last token, and the pauses after them. Guarantees 3, 11, 12 and 29. */
export class Failures {
  last: Failure | null = null;
  /** When the last permanent failure, and the last failure of any kind, came. */
  permanentSeq = -1;
  seq = -1;
  lastError: unknown = undefined;
  private count = 0;
  private askedReal = -Infinity;
  private unkept: Attempt | null = null;
  /** Somebody called `refresh()`, or the stream was woken, since the last failure. */
  private isPauseEnded = false;
  /** Permanent failures with nothing between them. */
  private permanents = { since: 0, count: 0, isSteady: false };
  private readonly untold: Failure[] = [];
  private unkeptTold = 0;
  private unreadTold = 0;

  constructor(
    private readonly facts: Facts,
    private readonly tokens: Tokens,
    private readonly isConstant: boolean,
  ) {}

  /** The event of a failure comes after the one that is being emitted. */
  get isUntold(): boolean {
    return this.untold.length > 0;
  }

  /** The source refused permanently, and is not asked for a while. */
  get isBlocking(): boolean {
    const { last, facts } = this;
    return !!last?.isPermanent && facts.real <= last.real + last.atMost;
  }

  /** Somebody who needs a token now may have to wait for a pause to end. */
  get mayPause(): boolean {
    return this.last !== null || this.unkept !== null;
  }

  /** No attempt is due yet. After the clock was set, nobody can tell. */
  get isPausing(): boolean {
    const { last, unkept, facts } = this;
    return (
      facts.jumps > 0 ||
      (!!last && facts.real <= last.real + last.atMost) ||
      (!!unkept && facts.real <= unkept.real + UNKEPT_PAUSE)
    );
  }

  /** The next attempt may be further away than a rejected request waits for. */
  get isFarFromAttempt(): boolean {
    const { last, facts } = this;
    return !!last && last.real + (last.exact ?? last.atMost) - facts.real > 1000;
  }

  /** The pause that the last failure announced has not passed. */
  get isRetrying(): boolean {
    const { last, facts } = this;
    return last?.exact != null && facts.real < last.real + last.exact;
  }

  endPause(): void {
    this.isPauseEnded = true;
    this.permanents.isSteady = false;
  }

  /** The source is asked: not before its pause is over. */
  asked(attempt: number): void {
    const { facts, last, unkept } = this;
    const { real, jumps } = facts;
    if (unkept?.jumps === jumps && real < unkept.real + UNKEPT_PAUSE)
      facts.violated('3', 'asked again within one second of a token without life');
    if (last?.jumps === jumps) this.checkPause(last, attempt);
    if (attempt > 1 && last?.exact == null && !this.isUntold)
      facts.violated('11', `attempt ${String(attempt)} came unannounced`);
    this.askedReal = real;
  }

  private checkPause(last: Failure, attempt: number): void {
    const { facts, permanents } = this;
    const { real } = facts;
    const waited = real - last.real;
    const least = Math.max(last.atLeast, last.exact ?? 0);
    const isEarly = this.isPauseEnded
      ? waited < least && real < this.askedReal + FIRST_PAUSE
      : waited < least || (attempt > 1 && waited !== last.exact);
    const orElse = this.isPauseEnded ? ' or 250 since the last request' : '';
    if (isEarly) facts.violated('29', `asked ${String(waited)} ms after a failure, ${String(least)} were due${orElse}`);
    if (!permanents.isSteady) return;
    const elapsed = real - permanents.since;
    const most = 12 + Math.max(0, Math.ceil((elapsed - 60_000) / 55_000));
    if (++permanents.count > most)
      facts.violated('29', `${String(permanents.count)} requests in ${String(elapsed)} ms at a permanent failure`);
  }

  failed({ kind, retryAfter }: TokenAnswer, attempt: Attempt | null): void {
    const { facts, tokens } = this;
    const { real } = facts;
    const isPermanent = isPermanentKind(kind);
    this.count++;
    const asked = kind === 'transient' ? Math.min(retryAfter ?? 0, MAX_RETRY_AFTER) : 0;
    facts.trouble(asked);
    if (tokens.held) tokens.held.suspended = 'no';
    const { previous } = tokens;
    const life = previous ? previous.endsAt - previous.issuedAt : Infinity;
    const longest = isPermanent ? 60_000 : Math.min(10_000, (life || Infinity) / 6);
    const step = Math.min(longest, FIRST_PAUSE * 2 ** (this.count - 1));
    // The pause after a permanent failure ends with the use of the token at hand.
    const usableFor = tokens.held && tokens.mayServe() !== null ? tokens.held.overAt - facts.clock : Infinity;
    const permanentStep = Math.min(step, Math.max(FIRST_PAUSE, usableFor));
    const drawn = this.isConstant && previous !== undefined && tokens.mayServe() === null ? Math.round(step / 2) : 0;
    this.last = {
      real,
      seq: ++facts.seq,
      jumps: attempt?.jumps ?? facts.jumps,
      isPermanent,
      atLeast: facts.jumps > 0 ? 50 : Math.max(50, isPermanent ? permanentStep : drawn, asked),
      atMost: Math.max(50, Math.round(step), asked),
      exact: null,
    };
    this.untold.push(this.last);
    this.seq = this.last.seq;
    if (isPermanent) this.permanentSeq = this.seq;
    if (!isPermanent || facts.jumps > 0) this.permanents.isSteady = false;
    else if (!this.permanents.isSteady) this.permanents = { since: attempt?.real ?? real, count: 1, isSteady: true };
    this.isPauseEnded = false;
  }

  /** `refreshFailed` was emitted, for a token that cannot be kept. */
  toldUnkept(): void {
    if (++this.unkeptTold > 1) this.facts.violated('3', 'said more than once that a token cannot be kept');
  }

  /** `refreshFailed` was emitted, for a lifetime that cannot be read. */
  toldUnread(): void {
    if (++this.unreadTold > 1) this.facts.violated('3', 'said more than once that a lifetime cannot be read');
  }

  /** `refreshFailed` was emitted. */
  told(error: unknown, message: string, retryIn: number | null, isPermanent: boolean): void {
    const { facts } = this;
    const failure = this.untold.shift();
    if (!failure) {
      facts.violated('38', `a failure was told that did not happen: ${message}`);
      return;
    }
    if (failure === this.last) this.lastError = error;
    const { atLeast, atMost } = failure;
    if (isPermanent !== failure.isPermanent)
      facts.violated('28', `a failure was told as permanent: ${String(isPermanent)}`);
    if (retryIn === null) return;
    failure.exact = retryIn;
    if (facts.jumps === 0 && (retryIn > atMost || retryIn < atLeast))
      facts.violated('29', `a pause of ${String(retryIn)} ms, not ${String(atLeast)} to ${String(atMost)}`);
  }

  /** A token has come, or the session has ended. */
  forget(): void {
    this.last = null;
    this.count = 0;
    this.unkept = null;
    this.lastError = undefined;
    this.isPauseEnded = false;
    this.permanents.isSteady = false;
  }

  /** A token has come that cannot be kept. */
  pauseAfterUnkept({ real, jumps }: Attempt): void {
    this.unkept = { real, jumps };
  }
}
