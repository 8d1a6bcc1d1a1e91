import {
  isTokenError,
  type AccessToken,
  type RefreshReason,
  type RejectionOutcome,
  type TokenEvent,
  type TokenRequest,
} from 'rx-fresh-token';
import type { Options, Outcome } from './history.js';

/** What the model remembers of a token that was kept. Written from the promises, not from the code. */
interface Held {
  readonly value: string;
  readonly expiresAt: number;
  readonly life: number;
  readonly overAt: number;
  /** When its renewal may begin at the earliest, with all the jitter there can be, and must have begun, with none. */
  readonly dueFrom: number;
  readonly dueBy: number;
  readonly arrivedReal: number;
  /** What the clock would say, had nobody set it since the token was asked for. */
  readonly arrivedClock: number;
  latestClock: number;
  refused: boolean;
  /** The clock once said that it is over, when somebody looked: setting it back changes nothing. */
  seenOver: boolean;
}

interface Flight {
  readonly request: TokenRequest;
  readonly outcome: Outcome;
  readonly real: number;
  readonly clock: number;
  readonly jumps: number;
  answered: boolean;
}

/** Somebody who waits for a token. */
export interface Waiter {
  readonly what: string;
  readonly kind: 'take' | 'refresh' | 'recover';
  readonly since: number;
  seq: number;
  gone?: boolean;
  readonly maxWait: number;
  /** The token that will not do, since it was refused. */
  readonly not?: string | undefined;
}

/** A server's refusal of a token, on its way to the stream. */
export interface Refusal {
  readonly token: string;
  readonly explicit: boolean;
  readonly key: string | undefined;
  /** What the stream made of it. */
  outcome: RejectionOutcome | null;
  /** The call that was refused. */
  waiter?: Waiter;
}

export interface Clocks {
  /** What timers go by. */
  real(): number;
  /** What the stream is told the time is. */
  clock(): number;
}

const MIN_PAUSE = 50;
/** Stands for a token of which the promises leave open which it is. */
const ANY = 'any';
export const lifeOf = ({ lifetime }: Outcome): number =>
  lifetime === undefined ? Infinity : lifetime === 'nonsense' ? 0 : Math.max(0, lifetime);

const named = (error: unknown): string => (error instanceof Error ? error.name : typeof error);

/** Says what a stream may do, given what happened so far. Whatever it may not do is noted in `violations`. */
export class Reference {
  readonly violations: string[] = [];
  readonly waiters = new Set<Waiter>();
  listeners = 0;
  held: Held | null = null;
  previous: string | null = null;
  closed = false;
  live = 0;
  calls = 0;
  /** How often the clock was set; what follows from elapsed time is only certain without. */
  jumps = 0;
  seq = 0;
  arrival: {
    value: string;
    seq: number;
    real: number;
    kept: boolean;
    previous: string | null;
    took: number;
    reason: RefreshReason;
  } | null = null;
  private readonly refused = new Set<string>();
  /** For a recovering call: a refused value came again. */
  refusedAgain = -1;
  /** How often the token changed on schedule. */
  era = 0;
  lastActivity = -Infinity;
  /** When the token last went with a request, or a listener left. */
  lastUse = -Infinity;
  insideAction = 0;
  rejection: Refusal | null = null;

  /** Whether the stream listens to `wake`. */
  private awake = false;
  /** It has just stopped: it must say so at once, or may. */
  private resting: 'must' | 'may' | null = null;

  private flight: Flight | null = null;
  private announced: { reason: string; attempt: number } | null = null;
  /** Whether the arrival was told of; null: it may be, or not. */
  private arrivalAnnounced: boolean | null = true;
  private failure: {
    error: unknown;
    real: number;
    clock: number;
    jumps: number;
    seq: number;
    permanent: boolean;
    pause: number;
    atMost: number;
    exact: number | null;
  } | null = null;
  private failurePending = false;
  /** What came has no life, and does not replace a token that lives: that is told of as a failure. */
  private useless = false;
  private attemptBy = Infinity;
  private lastPermanent = -1;
  private bornOver: { real: number; jumps: number } | null = null;
  private expired = new Set<Held>();
  private forced: { real: number; jumps: number }[] = [];
  private askedFor: { rejection: number; manual: number } = { rejection: 0, manual: 0 };
  /** Of the last token that was taken, to bound pauses by. */
  private lastLife = Infinity;
  private stuckSince = Infinity;
  private givenUp: AbortSignal[] = [];
  private readonly spoiled = new Set<string>();
  /** Resources that refused since the token last changed on schedule, or before it, if their repeats still go on: only theirs may be known as fruitless. */
  private suspects = new Set<string>();
  private readonly repeating = new Set<Refusal>();
  private asksSinceArrival = 0;
  private refreshings: number[] = [];

  constructor(
    private readonly options: Options,
    private readonly time: Clocks,
  ) {}

  fault(promise: string, what: string): void {
    this.violations.push(
      `${promise}: ${what} (at ${String(this.time.real())} ms, the clock says ${String(this.time.clock())})`,
    );
  }

  // ---- what may be used

  /** Nothing known speaks against the token. */
  mayServe(): string | null {
    const { held } = this;
    if (!held || held.refused || held.seenOver || this.closed) return null;
    const elapsed = this.time.real() - held.arrivedReal;
    return this.time.clock() < held.overAt && elapsed <= Math.min(held.overAt - held.arrivedClock, held.life)
      ? held.value
      : null;
  }

  /** Nothing ever spoke against it: neither timer nor clock. */
  mustServe(): string | null {
    const { held } = this;
    const value = this.mayServe();
    if (!held || value === null) return null;
    const elapsed = this.time.real() - held.arrivedReal;
    return held.latestClock < held.overAt && elapsed < Math.min(held.overAt - held.arrivedClock, held.life)
      ? value
      : null;
  }

  /** Somebody does something with the stream, or stops doing it. */
  active(): void {
    this.lastActivity = this.time.clock();
  }

  jumped(clockBefore: number, clockAfter: number): void {
    this.jumps++;
    if (this.held) this.held.latestClock = Math.max(this.held.latestClock, clockBefore, clockAfter);
  }

  /** A token is about to leave with a request, or is handed to a listener. */
  used(value: string, who: string, waitingSince: number): void {
    if (this.closed) this.fault('B26', `${who} was given a token after close()`);
    if (this.mayServe() === value) {
      this.lastUse = this.time.clock();
      return;
    }
    const { arrival, held } = this;
    const bornOver = arrival?.value === value && !arrival.kept && arrival.real === this.time.real();
    if (bornOver && waitingSince < arrival.seq) return;
    if (held?.value === value && held.refused)
      this.fault('B19', `${who} was given ${value}, which is known to be refused`);
    else if (bornOver) this.fault('B3', `${who} came after ${value}, which has no life, and was given it all the same`);
    else this.fault('B4/B5', `${who} was given ${value}, whose life is over`);
  }

  // ---- the source

  asked(request: TokenRequest, outcome: Outcome): void {
    const { failure, held } = this;
    const [real, clock] = [this.time.real(), this.time.clock()];
    const { reason, attempt } = request;
    this.calls++;
    if (this.closed) this.fault('B26', 'a token was asked for after close()');
    if (this.live > 0) this.fault('B8', 'two token fetches at once');
    if (this.announced?.reason !== reason || this.announced.attempt !== attempt)
      this.fault('events', `asked as ${reason} ${String(attempt)}, announced as ${JSON.stringify(this.announced)}`);
    this.announced = null;
    if (this.previous !== ANY && (request.previous?.value ?? null) !== this.previous)
      this.fault('TokenRequest', `previous is ${String(request.previous?.value)}, not ${String(this.previous)}`);
    if (request.signal.aborted) this.fault('TokenRequest', 'the signal is aborted already');

    const repeat = attempt > 1;
    if (
      repeat &&
      (failure?.permanent !== false ||
        failure.exact === null ||
        (real !== failure.real + failure.exact && failure.jumps === this.jumps))
    )
      this.fault('B11', `attempt ${String(attempt)} came unannounced`);
    if (!repeat && failure?.jumps === this.jumps && real < failure.real + failure.pause) {
      this.fault(
        'B11/B12',
        `asked ${String(real - failure.real)} ms after a failure, at least ${String(failure.pause)} were due`,
      );
    }
    if (this.bornOver?.jumps === this.jumps && real < this.bornOver.real + 1000)
      this.fault('B3', 'asked again within one second of a token without life');

    if (!repeat) {
      if (reason === 'initial' && this.previous !== null) this.fault('reason', 'initial, though there was a token');
      if ((reason === 'expired' || reason === 'scheduled') && this.previous === null)
        this.fault('reason', `${reason}, though there was no token`);
      if (reason === 'manual' && this.askedFor.manual === 0)
        this.fault('reason', 'manual, though nobody called refresh()');
      if (reason === 'rejected' && this.askedFor.rejection === 0)
        this.fault('B15', 'rejected, though no current token was rejected');
      if (reason === 'scheduled' && held && !held.refused) {
        if (
          Math.max(clock, held.latestClock) < held.dueFrom &&
          real - held.arrivedReal < held.dueFrom - held.arrivedClock
        )
          this.fault('B1', `renewed ${String(held.dueFrom - clock)} ms too early`);
      }
      if (reason === 'rejected') this.spend(real);
      if (reason !== 'rejected' && this.rejection && !this.rejection.outcome)
        this.fault('B15', 'a refresh before the rejected token was compared');
      this.askedFor = { rejection: 0, manual: 0 };
      const idle = this.options.idleTimeout ?? (this.previous === null ? 0 : this.lastLife);
      if (
        !this.insideAction &&
        this.jumps === 0 &&
        this.listeners + this.waiters.size === 0 &&
        clock - this.lastActivity > idle
      )
        this.fault('B6', 'renewed, though nobody needs it');
    }
    this.useless = false;
    this.asksSinceArrival++;
    this.live++;
    this.attemptBy = Infinity;
    this.flight = { request, outcome, real, clock, jumps: this.jumps, answered: false };
  }

  private spend(real: number): void {
    const { max, per } = this.options.rejectionBudget ?? { max: 10, per: 60_000 };
    this.forced = this.forced.filter((spent) => spent.jumps === this.jumps && real - spent.real < per);
    this.forced.push({ real, jumps: this.jumps });
    if (this.forced.length > max)
      this.fault(
        'B18',
        `${String(this.forced.length)} refreshes forced by rejections within ${String(per)} ms, ${String(max)} are allowed`,
      );
  }

  /** The source is about to yield this. */
  answered(value: string | null): void {
    const { flight } = this;
    if (!flight) return;
    flight.answered = true;
    this.live--;
    if (this.closed) return;
    const [real, clock] = [this.time.real(), this.time.clock()];
    if (value === null) {
      this.failurePending = true;
      return;
    }
    if (this.refused.has(value)) {
      this.refusedAgain = ++this.seq;
      this.failurePending = true;
      return;
    }
    const life = lifeOf(flight.outcome);
    const { expiryMargin, refreshBefore, jitter } = this.options;
    const margin = expiryMargin ?? Math.min(1000, life / 30);
    const expiresAt = flight.clock + life;
    // A clock that was set back meanwhile makes it no younger.
    const took = Math.max(clock - flight.clock, real - flight.real);
    const lead = refreshBefore ?? Math.max(Math.min(life / 6, 300_000), 1.5 * took + margin);
    const unknown = life === Infinity;
    const overAt = unknown ? Infinity : Math.floor(expiresAt - margin);
    const kept = Math.max(clock, flight.clock + took) < overAt;
    const living = this.mayServe();
    this.seq++;
    this.useless = false;
    this.arrival = { value, seq: this.seq, real, kept, previous: this.previous, took, reason: flight.request.reason };
    this.arrivalAnnounced = this.previous === ANY ? null : value === this.previous;
    this.failure = null;
    this.askedFor.rejection = 0;
    if (this.listeners + this.waiters.size > 0) this.lastActivity = clock;
    if (kept) {
      const { reason } = flight.request;
      if ((reason === 'scheduled' || reason === 'expired') && value !== this.previous) {
        this.spoiled.clear();
        if (this.previous !== ANY) this.suspects = new Set([...this.repeating].flatMap(({ key }) => key ?? []));
        this.era++;
      }
      this.held = {
        value,
        life,
        expiresAt,
        overAt,
        dueFrom: unknown ? Infinity : Math.floor(expiresAt - Math.min(lead * (1 + jitter), life / 2)),
        // Not within the same millisecond: a synchronous source would be asked for ever.
        dueBy: unknown ? Infinity : Math.max(flight.clock + 1, Math.floor(expiresAt - Math.min(lead, life / 2))),
        arrivedReal: real,
        arrivedClock: flight.clock + took,
        latestClock: clock,
        refused: false,
        seenOver: false,
      };
      this.previous = value;
      this.lastLife = life;
      this.bornOver = null;
      this.asksSinceArrival = 0;
      this.attemptBy = Infinity;
    } else {
      this.bornOver = { real: flight.real, jumps: flight.jumps };
      this.attemptBy = real + 1000;
      this.useless = living !== null;
      // Where timer and clock disagree, either is right.
      if (!living || living !== this.mustServe()) {
        this.previous = living ? ANY : value;
        this.lastLife = living ? Infinity : life;
      }
    }
  }

  /** The stream no longer listens to the source. */
  released(request: TokenRequest): void {
    const { flight } = this;
    if (flight?.request !== request || flight.answered) return;
    this.live--;
    flight.answered = true;
    const timeout = this.options.fetchTimeout ?? 10_000;
    if (!this.closed && this.time.real() - flight.real !== timeout)
      this.fault('B9', `a token fetch was given up after ${String(this.time.real() - flight.real)} ms`);
    this.givenUp.push(request.signal);
  }

  // ---- awake, or idle

  wakes(): void {
    this.awake = true;
  }

  rests(): void {
    this.awake = false;
    const unknown = this.previous === ANY ? 0 : (this.options.maxWait ?? 30_000);
    const idle =
      this.options.idleTimeout ?? (this.previous === null ? 0 : this.lastLife === Infinity ? unknown : this.lastLife);
    const unused = this.time.clock() - this.lastUse;
    if (!this.closed && this.jumps === 0 && unused < idle)
      this.fault('B6', `it went to rest ${String(unused)} ms after the token was used`);
    // A failure for good has said already that nothing more will be tried.
    if (!this.closed)
      this.resting = this.hopeless() && this.mustServe() === null && this.listeners === 0 ? 'may' : 'must';
  }

  /** No more is awake than must be, and no less. */
  private awakeOrNot(real: number, clock: number): void {
    const { held, failure } = this;
    if (this.resting === 'must') this.fault('B6', 'it went to rest without a word');
    this.resting = null;
    if (this.closed || this.listeners + this.waiters.size > 0) {
      if (this.awake === this.closed)
        this.fault(
          this.closed ? 'B26' : 'B5',
          this.closed ? 'wake is listened to after close()' : 'somebody is interested, and wake is not listened to',
        );
      return;
    }
    if (!this.awake || this.jumps > 0 || this.live > 0 || this.pausing(real)) return;
    const isDue =
      !!held && !held.refused && this.asksSinceArrival === 0 && clock > Math.max(held.dueBy, held.arrivedClock);
    const isGivenUp =
      failure?.exact === null && !failure.permanent && this.asksSinceArrival > 0 && this.lastActivity < failure.clock;
    if (isDue || isGivenUp) this.fault('B6', 'nobody is interested and nothing is under way, but it is not idle');
  }

  // ---- events

  event(event: TokenEvent): void {
    const [real, clock] = [this.time.real(), this.time.clock()];
    if (this.resting === 'must' && event.type !== 'idle') this.fault('B6', `${event.type} where idle was due`);
    if (event.type === 'idle' && !this.resting) this.fault('B6', 'idle, though it was not awake');
    this.resting = null;
    if (this.closed) this.fault('B26', `${event.type} after close()`);
    if (event.at !== clock) this.fault('events', `${event.type} bears the wrong time`);
    switch (event.type) {
      case 'refreshStarted':
        if (this.announced) this.fault('events', 'a refresh was announced that did not come');
        this.announced = event;
        break;
      case 'tokenChanged': {
        const { arrival } = this;
        if (this.arrivalAnnounced || arrival?.value !== event.token.value)
          this.fault('events', `tokenChanged ${event.token.value}, which did not just come`);
        else if (arrival.previous !== ANY && (event.previous?.value ?? null) !== arrival.previous)
          this.fault('events', `tokenChanged from ${String(event.previous?.value)}, not ${String(arrival.previous)}`);
        else if (event.took !== arrival.took)
          this.fault('events', `took ${String(event.took)}, not ${String(arrival.took)}`);
        else if (event.reason !== arrival.reason || event.origin !== 'fetched')
          this.fault(
            'events',
            `tokenChanged as ${event.reason}, ${event.origin}, but it was fetched as ${arrival.reason}`,
          );
        this.arrivalAnnounced = true;
        this.useless = false;
        this.checkToken(event.token);
        break;
      }
      case 'refreshFailed':
        this.refreshFailed(event, real, clock);
        break;
      case 'tokenRejected':
        this.tokenRejected(event, clock);
        break;
      case 'tokenExpired': {
        const { held } = this;
        if (held?.value !== event.token.value)
          this.fault('events', `tokenExpired for ${event.token.value}, which is not at hand`);
        else if (this.expired.has(held)) this.fault('events', `tokenExpired twice for ${held.value}`);
        else if (
          clock < held.expiresAt &&
          real - held.arrivedReal < Math.min(held.life, held.expiresAt - held.arrivedClock)
        )
          this.fault('events', `tokenExpired for ${held.value}, which still lives`);
        else this.expired.add(held);
        break;
      }
      case 'idle':
        if (this.isNeeded()) this.fault('B6', 'idle, though somebody waits');
        break;
      case 'closed':
        // Whatever else close() does, it does to a closed stream.
        this.closed = true;
        break;
    }
  }

  private checkToken({ issuedAt, expiresAt }: AccessToken): void {
    const { flight } = this;
    if (!flight) return;
    if (issuedAt !== flight.clock) this.fault('B2', `issuedAt is ${String(issuedAt)}, not ${String(flight.clock)}`);
    if (expiresAt !== flight.clock + lifeOf(flight.outcome)) this.fault('B2', `expiresAt is ${String(expiresAt)}`);
  }

  private refreshFailed(event: Extract<TokenEvent, { type: 'refreshFailed' }>, real: number, clock: number): void {
    const { flight, held } = this;
    const { attempt, retryIn, permanent, error } = event;
    if (!flight) {
      this.fault('events', 'refreshFailed without a fetch');
      return;
    }
    if (this.useless && isTokenError(error, 'ERR_INVALID_TOKEN_RESPONSE')) {
      this.useless = false;
      this.arrivalAnnounced = true;
      return;
    }
    const timedOut = isTokenError(error, 'ERR_TOKEN_FETCH_TIMEOUT');
    if (!timedOut && !this.failurePending) this.fault('events', 'refreshFailed, though nothing failed');
    if (timedOut && real - flight.real !== (this.options.fetchTimeout ?? 10_000))
      this.fault('fetchTimeout', `after ${String(real - flight.real)} ms`);
    this.failurePending = false;
    const hopeless = !timedOut && (flight.outcome.kind === 'permanent' || flight.outcome.kind === 'oauthError');
    if (permanent !== hopeless) this.fault('B12', `permanent is ${String(permanent)} for ${flight.outcome.kind}`);
    if (attempt !== flight.request.attempt) this.fault('events', `refreshFailed counts attempt ${String(attempt)}`);

    const max = Math.min(10_000, (this.lastLife || Infinity) / 6);
    const step = (n: number) => Math.min(max, 250 * 2 ** (n - 1));
    const asked = flight.outcome.kind === 'transient' && !timedOut ? (flight.outcome.retryAfter ?? 0) : 0;
    if (retryIn !== null) {
      if (permanent) this.fault('B12', 'a permanent failure is to be repeated');
      if (retryIn < Math.max(MIN_PAUSE, asked)) this.fault('B11', `a pause of ${String(retryIn)} ms`);
      const alive = this.mustServe() !== null && held ? (held.expiresAt - clock) / 3 : Infinity;
      if (retryIn > Math.max(MIN_PAUSE, asked, Math.min(step(attempt), alive) + 1))
        this.fault('B11', `a pause of ${String(retryIn)} ms is too long`);
    }
    const seq = ++this.seq;
    // Where timer and clock disagree about the last token, the step is not known.
    const pause = permanent
      ? Math.max(MIN_PAUSE, this.previous === ANY ? 0 : step(1))
      : (retryIn ?? Math.max(MIN_PAUSE, asked));
    this.failure = {
      error,
      real,
      clock,
      jumps: this.jumps,
      seq,
      permanent,
      pause,
      atMost: Math.max(pause, step(attempt) + 1),
      exact: retryIn,
    };
    this.attemptBy = retryIn === null ? Infinity : real + retryIn;
    if (permanent) this.lastPermanent = seq;
    if (retryIn === null) this.askedFor.rejection = 0;
    if (retryIn === null && !permanent && this.isNeeded()) this.fault('B12', 'gave up, though somebody waits');
  }

  private tokenRejected(event: Extract<TokenEvent, { type: 'tokenRejected' }>, clock: number): void {
    const { rejection, held } = this;
    if (!rejection || rejection.outcome || rejection.token !== event.token.value) {
      this.fault('events', `tokenRejected ${event.token.value}, which nobody just refused`);
      return;
    }
    rejection.outcome = event.outcome;
    const { key, explicit, token } = rejection;
    if (key !== undefined && event.outcome !== 'suppressed') {
      this.suspects.add(key);
      this.repeating.add(rejection);
    }
    const isCurrent = held?.value === token;
    const { max, per } = this.options.rejectionBudget ?? { max: 10, per: 60_000 };
    switch (event.outcome) {
      case 'alreadyReplaced':
        if (isCurrent) this.fault('B15', `${token} is still at hand, not replaced`);
        // Only when all who watch have heard of it is another token waited for.
        if (rejection.waiter) this.waiters.delete(rejection.waiter);
        break;
      case 'refreshing':
        if (!isCurrent) this.fault('B15', `a late rejection of ${token} forces a refresh`);
        if (key !== undefined && this.spoiled.has(key))
          this.fault('B17', `another refresh for ${key}, which refuses fresh tokens too`);
        this.askedFor.rejection++;
        this.refreshings.push(clock + this.pauseLeft());
        if (explicit && held) {
          held.refused = true;
          this.refused.add(held.value);
          if (this.arrival?.value === held.value) this.arrival = null;
        }
        break;
      case 'suppressed':
        if (
          (key === undefined || !this.suspects.has(key)) &&
          this.jumps === 0 &&
          !this.hopeless() &&
          this.refreshings.filter((at) => clock - at < per).length < max
        ) {
          this.fault(
            'B17/B18',
            `suppressed within the budget${key === undefined ? '' : `, though ${key} refused nothing since the token changed on schedule`}`,
          );
        }
        break;
    }
  }

  // ---- those who wait

  /** A repeat with a fresh token was refused too. It counts until the token next changes on schedule. */
  spoil(key: string | undefined, era: number): void {
    if (key !== undefined && era === this.era) this.spoiled.add(key);
  }

  /** A refused call has come to its end. */
  ended(refusal: Refusal | null): void {
    if (refusal) this.repeating.delete(refusal);
  }

  wantsRefresh(): void {
    this.askedFor.manual++;
  }

  wait(what: string, kind: Waiter['kind'], maxWait: number, not?: string): Waiter {
    const waiter = { what, kind, maxWait, not, since: this.time.real(), seq: ++this.seq };
    this.waiters.add(waiter);
    return waiter;
  }

  /** Somebody who was refused a token waits for the next from now on, unless its call has ended meanwhile. */
  waitOn(waiter: Waiter): void {
    waiter.seq = ++this.seq;
    if (!waiter.gone) this.waiters.add(waiter);
  }

  /** A refresh that is decided upon now is made then. */
  private pauseLeft(): number {
    const { failure, bornOver } = this;
    const over = Math.max(failure ? failure.real + failure.pause : 0, bornOver ? bornOver.real + 1000 : 0);
    return Math.max(0, over - this.time.real());
  }

  /** It certainly is right after a permanent failure: whoever wants a token now is told so. */
  private isBlocked(real: number): boolean {
    const { failure } = this;
    return !!failure?.permanent && failure.jumps === this.jumps && real < failure.real + failure.pause;
  }

  /** Right after a permanent failure nothing is attempted. */
  private hopeless(): boolean {
    const { failure } = this;
    return !!failure?.permanent && (failure.jumps !== this.jumps || this.time.real() <= failure.real + failure.atMost);
  }

  /** Somebody wants a token, and has not been told that it is no use. */
  private isNeeded(): boolean {
    // At the very moment of a token's end it may still serve, or not.
    const served = this.mayServe() !== null;
    return (
      this.listeners > 0 ||
      [...this.waiters].some(({ kind, seq }) =>
        kind === 'take' ? !served : kind !== 'recover' || seq > this.refusedAgain,
      )
    );
  }

  /** A waiter ends without a token: is that right? */
  unserved(waiter: Waiter, error: unknown): void {
    const real = this.time.real();
    const { failure } = this;
    if (this.closed) {
      if (error !== null && !isTokenError(error, 'ERR_TOKEN_STREAM_CLOSED'))
        this.fault('B26', `${waiter.what} failed with ${named(error)} at close()`);
      return;
    }
    if (waiter.kind === 'recover' && this.refusedAgain > waiter.seq) return;
    if (waiter.kind === 'recover' && this.arrival && this.arrival.seq > waiter.seq) return;
    if (waiter.not !== undefined && this.arrival?.value === waiter.not && this.arrival.seq > waiter.seq) return;
    // The only token there is, is the one that was refused.
    if (waiter.not !== undefined && this.mayServe() === waiter.not) return;
    const late = real === waiter.since + waiter.maxWait;
    if (!late && !this.hopeless())
      this.fault(
        'B12',
        `${waiter.what} failed after ${String(real - waiter.since)} ms, it may wait ${String(waiter.maxWait)}: ${named(error)}`,
      );
    if (error !== null) {
      if (!isTokenError(error, 'ERR_TOKEN_UNAVAILABLE'))
        this.fault('B12', `${waiter.what} failed with ${named(error)}`);
      else if (error.cause !== failure?.error)
        this.fault(
          'B12',
          `${waiter.what} failed with the cause ${JSON.stringify(error.cause)}, not ${JSON.stringify(failure?.error)}`,
        );
    }
    if (waiter.kind === 'take' && this.mustServe() !== null)
      this.fault('B11', `${waiter.what} failed, though a token lives`);
  }

  listenerFailed(error: unknown): void {
    const { failure } = this;
    if (!isTokenError(error, 'ERR_TOKEN_UNAVAILABLE') || !failure?.permanent || error.cause !== failure.error)
      this.fault('B24', `a listener failed with ${named(error)}`);
    if (this.mustServe() !== null) this.fault('B11', 'a listener failed, though a token lives');
  }

  // ---- between two actions of the world

  settled(current: string | null): void {
    const real = this.time.real();
    // Whoever asks for the current token looks at the clock.
    if (this.held && this.time.clock() >= this.held.overAt) this.held.seenOver = true;
    const may = this.mayServe();
    const must = this.mustServe();
    if (current !== null && current !== may) this.fault('current', `${current} is not usable`);
    if (must !== null && current !== must) this.fault('current', `${String(current)}, though ${must} is usable`);
    if (this.arrivalAnnounced === false && !this.closed)
      this.fault('events', `nothing said that ${String(this.arrival?.value)} came`);
    if (this.failurePending && !this.closed) this.fault('events', 'nothing said that a fetch failed');
    if (this.announced && !this.closed) this.fault('events', 'a refresh was announced that did not come');
    if (this.givenUp.some((signal) => !signal.aborted))
      this.fault('B26', 'a token fetch was given up without aborting its signal');
    this.givenUp = [];
    for (const waiter of this.waiters) {
      if (this.closed) this.fault('B26', `${waiter.what} still waits after close()`);
      if (real > waiter.since + waiter.maxWait)
        this.fault('B12', `${waiter.what} still waits after ${String(real - waiter.since)} ms`);
      if (waiter.kind === 'take' && must !== null) this.fault('B4', `${waiter.what} waits, though ${must} is usable`);
      if (this.arrival && this.arrival.seq > waiter.seq)
        this.fault('B12', `${waiter.what} still waits, though ${this.arrival.value} came`);
      if (this.isBlocked(real)) this.fault('B12', `${waiter.what} waits right after a permanent failure`);
      if (this.lastPermanent > waiter.seq) this.fault('B12', `${waiter.what} still waits after a permanent failure`);
    }
    this.awakeOrNot(real, this.time.clock());
    if (this.closed) return;
    const needed = this.listeners + this.waiters.size > 0;
    const { held } = this;
    if (held && this.jumps === 0 && !held.refused && this.asksSinceArrival === 0 && !this.pausing(real)) {
      const dueAt = Math.max(held.dueBy, held.arrivedClock);
      const idle = this.options.idleTimeout ?? held.life;
      if (this.time.clock() > dueAt && this.lastUse <= dueAt && dueAt - this.lastUse < idle)
        this.fault('B6', 'the token was used, but not renewed');
    }
    if (this.untold(real)) this.fault('events', `nothing said that ${String(held?.value)} ended`);
    const idleFlight = this.live === 0;
    // Somebody wants a token, there is none, and nothing is being done about it. What is due at this very moment may still come.
    const stuck =
      needed &&
      idleFlight &&
      may === null &&
      (this.attemptBy === Infinity ? !this.pausing(real) : this.jumps === 0 && this.attemptBy < real);
    if (!stuck) this.stuckSince = Infinity;
    else if (this.stuckSince < real) this.fault('B12', 'somebody waits, and nobody asks for a token');
    else this.stuckSince = real;
    if (this.listeners > 0 && held && !held.refused && this.asksSinceArrival === 0 && !this.pausing(real)) {
      if (real - held.arrivedReal > Math.max(0, held.dueBy - held.arrivedClock))
        this.fault('B1', 'the renewal is late');
    }
  }

  /** The token's end must have been told of by now, if nothing came in its place. */
  private untold(real: number): boolean {
    const { held } = this;
    return (
      !!held &&
      !this.expired.has(held) &&
      real - held.arrivedReal > Math.max(0, Math.min(held.life, held.expiresAt - held.arrivedClock))
    );
  }

  /** No attempt is due yet. After the clock was set, nobody can tell. */
  private pausing(real: number): boolean {
    const { failure, bornOver } = this;
    return (
      this.jumps > 0 ||
      (!!failure && real <= failure.real + failure.atMost) ||
      (!!bornOver && real <= bornOver.real + 1000)
    );
  }
}
