import { defer, EMPTY, filter, map, merge, of, retry, Subject, Subscription, switchMap, take, throwError, type Observable } from 'rxjs';
import { TokenUnavailableError } from '../errors.js';
import type { Timers } from '../internal/timers.js';
import { backoffStep, MIN_PAUSE, retryAfterOf, retryDelay, type Backoff } from './backoff.js';
import type { TokenIncident } from './events.js';
import type { Settings } from './options.js';
import type { Answer, SourceCalls } from './sourceCalls.js';
import type { AccessToken, RefreshReason } from './types.js';

/** What the refresher needs to know of the token's world, and what it tells it. */
export interface RefreshHost<Arrival> {
  previous(): AccessToken | null;
  /** Milliseconds of life that the token at hand still has; `Infinity` when there is none to outlive. */
  remaining(now: number): number;
  isWanted(now: number): boolean;
  /** Makes a token of an answer, or throws. */
  read(answer: Answer, sentAt: number): Arrival;
  arrived(arrival: Arrival, reason: RefreshReason): void;
  /** For good: nobody need wait any longer. */
  failed(error: TokenUnavailableError): void;
  /** Nobody is interested any more. */
  abandoned(): void;
  emit(incident: TokenIncident): void;
}

/** No attempt before `until`; a clock that was set back behind `since` voids it. */
interface Pause {
  readonly since: number;
  readonly until: number;
}

const inForce = (pause: Pause | null, now: number): pause is Pause => pause !== null && now >= pause.since && now < pause.until;

/** One refresh at a time: attempts with pauses between them, until a token arrives, all hope is gone, or nobody cares. */
export class Refresher<Arrival> {
  /** The last failure since a token arrived. */
  failure: unknown;
  readonly #recheck = new Subject<void>();
  #running: Subscription | null = null;
  #pause: Pause | null = null;
  #refusal: (Pause & { readonly error: TokenUnavailableError }) | null = null;

  constructor(
    private readonly calls: SourceCalls,
    private readonly settings: Settings,
    private readonly timers: Timers,
    private readonly host: RefreshHost<Arrival>,
  ) {}

  get isRunning(): boolean {
    return this.#running !== null;
  }

  /** Starts a refresh, or joins the one under way; right after a permanent failure it fails at once. */
  start(reason: RefreshReason): void {
    if (this.#running) {
      this.#recheck.next();
      return;
    }
    const now = this.settings.now();
    if (inForce(this.#refusal, now)) {
      this.host.failed(this.#refusal.error);
      return;
    }
    const ready$ = inForce(this.#pause, now)
      ? this.timers.after(this.#pause.until - now).pipe(filter(() => this.host.isWanted(this.settings.now())))
      : of(undefined);
    const running = (this.#running = new Subscription());
    running.add(
      ready$.pipe(switchMap(() => this.#attempts(reason))).subscribe({
        next: (arrival) => {
          this.#running = this.#pause = this.#refusal = null;
          this.failure = undefined;
          this.host.arrived(arrival, reason);
        },
        error: (error: unknown) => {
          this.#running = null;
          this.#giveUp(error);
        },
        complete: () => {
          if (this.#running !== running) return;
          this.#running = null;
          this.host.abandoned();
        },
      }),
    );
  }

  /** The token just fetched cannot be kept: the next one is asked for this long after the last was. */
  pauseFor(since: number, duration: number): void {
    this.#pause = { since, until: since + duration };
  }

  /** Makes an attempt that the clock, though not yet its timer, calls overdue. */
  recheck(): void {
    this.#recheck.next();
  }

  stop(): void {
    this.#running?.unsubscribe();
    this.#running = null;
  }

  #attempts(reason: RefreshReason): Observable<Arrival> {
    let attempt = 0;
    return defer(() => {
      const sentAt = this.settings.now();
      const request = { reason, attempt: ++attempt, previous: this.host.previous() };
      this.host.emit({ type: 'refreshStarted', reason, attempt });
      return this.calls.ask(request).pipe(map((answer) => this.host.read(answer, sentAt)));
    }).pipe(retry({ delay: (error: unknown, failures) => this.#afterFailure(error, failures) }));
  }

  /** The retry notifier: emits when it is time to try again, completes when nobody waits for that, errors when it is no use. */
  #afterFailure(thrown: unknown, attempt: number): Observable<void> {
    const { isPermanent, random, now: clock } = this.settings;
    let error = thrown;
    let permanent = false;
    try {
      permanent = isPermanent(thrown);
    } catch (mistake) {
      error = mistake;
    }
    this.failure = error;
    if (permanent) {
      this.host.emit({ type: 'refreshFailed', error, attempt, retryIn: null, permanent });
      return throwError(() => error);
    }
    const now = clock();
    const pause = retryDelay(attempt, this.#backoff(), { random, remaining: this.host.remaining(now), retryAfter: retryAfterOf(error, now) });
    const wanted = this.host.isWanted(now);
    this.pauseFor(now, pause);
    this.host.emit({ type: 'refreshFailed', error, attempt, retryIn: wanted ? pause : null, permanent });
    if (!wanted) return EMPTY;
    const overdue$ = this.#recheck.pipe(filter(() => !inForce(this.#pause, clock())));
    return merge(this.timers.after(pause), overdue$).pipe(
      take(1),
      filter(() => this.host.isWanted(clock())),
    );
  }

  #giveUp(cause: unknown): void {
    const since = this.settings.now();
    const error = new TokenUnavailableError('the token source failed for good', { cause });
    this.#refusal = { since, until: since + Math.max(MIN_PAUSE, backoffStep(1, this.#backoff())), error };
    this.host.failed(error);
  }

  #backoff(): Backoff {
    const { backoff } = this.settings;
    const previous = this.host.previous();
    const lifetime = previous ? previous.expiresAt - previous.issuedAt : 0;
    return { ...backoff, max: backoff.max ?? (lifetime > 0 ? Math.min(10_000, lifetime / 6) : 10_000) };
  }
}
