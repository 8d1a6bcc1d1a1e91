import { catchError, defaultIfEmpty, defer, EMPTY, filter, merge, Observable, Subject, Subscription, tap, type Subscriber } from 'rxjs';
import { InvalidTokenResponseError, TokenStreamClosedError, TokenUnavailableError } from '../errors.js';
import { Timers } from '../internal/timers.js';
import { accessToken, checkTokenResponse, sameToken } from './accessToken.js';
import { Audience } from './audience.js';
import type { RejectionOutcome, TokenEvent, TokenIncident } from './events.js';
import { HeldToken } from './heldToken.js';
import { settingsOf, type Settings } from './options.js';
import { Refresher, type RefreshHost } from './refresher.js';
import { lifetimeOf, windowsOf, type Windows } from './refreshPolicy.js';
import { FruitlessRefreshes, RejectionBudget } from './rejection.js';
import { SourceCalls, type Answer } from './sourceCalls.js';
import type { StoredToken } from './tokenStore.js';
import type { AccessToken, RefreshReason, TokenResponse, TokenSource, TokenStreamOptions } from './types.js';

/** A source whose tokens cannot be kept is asked at most this often. */
const UNCACHED_PACE = 1000;

interface Arrival {
  readonly token: AccessToken;
  readonly windows: Windows;
  readonly took: number;
  readonly origin: 'fetched' | 'shared' | 'initial';
}

/** A server refused a token. */
export interface Rejection {
  readonly token: AccessToken;
  /** The server blamed the token itself, not perhaps the resource. */
  readonly explicit: boolean;
  /** The resource, whose fruitless refreshes are remembered; none, no memory. */
  readonly key?: string | undefined;
}

/** The one place that acts: holds the token, has it renewed when policy says so, and serves those who want it. */
export class TokenKeeper implements RefreshHost<Arrival> {
  readonly events = new Subject<TokenEvent>();
  readonly timers: Timers;
  readonly calls: SourceCalls;
  readonly fruitless = new FruitlessRefreshes();
  readonly #settings: Settings;
  readonly #budget: RejectionBudget;
  readonly #refresher: Refresher<Arrival>;
  readonly #audience: Audience;
  #held: HeldToken | null = null;
  #previous: AccessToken | null = null;
  #alarms = Subscription.EMPTY;
  #wake: Subscription | null = null;
  #lastUse = -Infinity;
  #closed = false;

  constructor(source: TokenSource, options: TokenStreamOptions) {
    const settings = (this.#settings = settingsOf(options));
    this.timers = new Timers(settings.scheduler);
    this.calls = new SourceCalls(source, settings, this.timers);
    this.#budget = new RejectionBudget(settings.rejectionBudget);
    this.#refresher = new Refresher(this.calls, settings, this.timers, this);
    this.#audience = new Audience((present) => {
      this.timers.keepAlive(present);
    });
    if (options.initial !== undefined) this.#startFrom(options.initial);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  get current(): AccessToken | null {
    const held = this.#held;
    return held?.isUsable(this.#settings.now()) ? held.token : null;
  }

  /** The token for a request that leaves now, or null if it must wait. The first check is all that a fresh token costs. */
  use(): AccessToken | null {
    const now = this.#settings.now();
    const held = this.#held;
    if (held === null) return null;
    if (now < held.freshUntil) {
      this.#lastUse = now;
      return held.token;
    }
    this.#noteEnd(now);
    if (!held.isUsable(now)) return null;
    this.#lastUse = now;
    if (held.isDue(now)) this.#renew('scheduled');
    return this.current;
  }

  /** Emits the usable token, now or within `maxWait`. */
  take(maxWait?: number): Observable<AccessToken> {
    return this.#waiting((subscriber) => {
      const token = this.use();
      if (token) {
        subscriber.next(token);
        subscriber.complete();
      } else if (this.calls.owns(null)) {
        subscriber.error(new TokenUnavailableError('a token source cannot wait for its own token'));
      } else {
        this.#wait(subscriber, { maxWait });
        this.#renew(this.#need());
      }
    });
  }

  /** Forces a refresh, or joins the one under way. */
  refresh(): Observable<AccessToken> {
    return this.#waiting((subscriber) => {
      this.#wait(subscriber, {});
      this.#renew('manual');
    });
  }

  /**
   * Emits the token with which to repeat a rejected request; completes without one if the rejection is to be passed on:
   * no refresh may be spent on it, or the refresh failed, or brought the very token that was refused.
   */
  recover(rejection: Rejection, maxWait?: number): Observable<AccessToken> {
    const { token, key } = rejection;
    return defer(() => {
      const outcome = this.#judge(rejection);
      if (outcome === 'suppressed') return EMPTY;
      if (outcome === 'alreadyReplaced') return this.take(maxWait);
      const replaced$ = this.#waiting((subscriber) => {
        this.#wait(subscriber, { maxWait, instead: token });
        this.#replace(rejection);
      });
      return replaced$.pipe(
        filter((next) => !sameToken(next, token)),
        defaultIfEmpty(null),
        tap((next) => {
          if (!next) this.fruitless.repeat(key, token)(true);
        }),
        filter((next) => next !== null),
      );
    }).pipe(catchError(() => EMPTY));
  }

  /** Says that a token was refused, for someone who does not wait for the next. */
  reject(rejection: Rejection): void {
    if (this.#judge(rejection) === 'refreshing') this.#replace(rejection);
  }

  /** Compares before anything is refreshed: a late rejection of an old token costs nothing. */
  #judge({ token, key }: Rejection): RejectionOutcome {
    const outcome = this.#outcomeOf(token, key);
    this.emit({ type: 'tokenRejected', token, outcome });
    return outcome;
  }

  #outcomeOf(token: AccessToken, key: string | undefined): RejectionOutcome {
    const held = this.#held;
    const now = this.#settings.now();
    if (this.fruitless.knows(key, token)) return 'suppressed';
    if (!sameToken(held?.token, token)) return 'alreadyReplaced';
    return this.#refresher.isRunning || held?.isOver(now) || this.#budget.spend(now) ? 'refreshing' : 'suppressed';
  }

  #replace({ explicit }: Rejection): void {
    if (explicit) this.#held?.refuse();
    this.#renew(this.#held?.isOver(this.#settings.now()) ? 'expired' : 'rejected');
  }

  listen(subscriber: Subscriber<AccessToken>): void {
    if (this.#closed) {
      subscriber.error(new TokenStreamClosedError());
      return;
    }
    const listener = this.#audience.listen(subscriber);
    subscriber.add(() => (this.#lastUse = this.#settings.now()));
    this.#stayAwake();
    const token = this.use();
    if (token) this.#audience.offer(listener, token);
    else this.#renew(this.#need());
  }

  close(): void {
    if (this.#closed) return;
    this.emit({ type: 'closed' });
    this.#closed = true;
    this.#refresher.stop();
    this.#sleep();
    this.#alarms.unsubscribe();
    this.#held = this.#previous = null;
    this.fruitless.clear();
    this.#audience.failWaiters(new TokenStreamClosedError());
    this.#audience.completeListeners();
    this.events.complete();
  }

  // What the refresher needs to know, and what it tells.

  previous(): AccessToken | null {
    return this.#previous;
  }

  remaining(now: number): number {
    const held = this.#held;
    return held?.isUsable(now) ? held.token.expiresAt - now : Infinity;
  }

  isWanted(now: number): boolean {
    const lifetime = this.#previous ? this.#previous.expiresAt - this.#previous.issuedAt : 0;
    this.#lastUse = Math.min(this.#lastUse, now);
    return !this.#audience.isEmpty || now - this.#lastUse < (this.#settings.idleTimeout ?? lifetime);
  }

  read({ response, age, origin }: Answer, sentAt: number): Arrival {
    checkTokenResponse(response);
    const now = this.#settings.now();
    const issuedAt = age === null ? sentAt : now - age;
    const token = accessToken(response, issuedAt, lifetimeOf(response, issuedAt, this.#settings.lifetime));
    if (this.#held?.isRefused && sameToken(this.#held.token, token)) {
      this.#audience.dismiss(token);
      throw new InvalidTokenResponseError('the token source returned the very token that was refused');
    }
    const took = Math.max(0, now - sentAt);
    return { token, windows: windowsOf(token, took, this.#settings), took, origin };
  }

  arrived(arrival: Arrival, reason: RefreshReason): void {
    const { token, windows, took, origin } = arrival;
    const now = this.#settings.now();
    const previous = this.#previous;
    const changed = !sameToken(token, previous);
    const living = this.current !== null;
    const kept = now < windows.overAt;
    if (kept) {
      if (changed && reason !== 'rejected' && reason !== 'manual') this.fruitless.clear();
      this.#hold(token, windows, now);
    } else {
      this.#refresher.pauseFor(token.issuedAt, UNCACHED_PACE);
      this.#alarms = living ? this.#alarms : new Subscription();
      this.#alarms.add(this.timers.after(token.issuedAt + UNCACHED_PACE - now).subscribe(this.#tick));
    }
    if (kept || !living) this.#previous = token;
    if (!this.#audience.isEmpty) this.#lastUse = now;
    if (changed) this.emit({ type: 'tokenChanged', token, previous, reason, took, origin });
    this.#audience.serveWaiters(token);
    if (kept || !living) this.#audience.serveListeners(token, () => this.#previous === token);
  }

  failed(error: TokenUnavailableError): void {
    this.#audience.failWaiters(error);
    if (!this.current) this.#audience.failListeners(error);
  }

  abandoned(): void {
    if (!this.#wake) return;
    this.#sleep();
    this.emit({ type: 'idle' });
  }

  emit(incident: TokenIncident): void {
    this.events.next({ ...incident, at: this.#settings.now() });
  }

  #hold(token: AccessToken, windows: Windows, now: number): void {
    const held = (this.#held = new HeldToken(token, windows));
    const lifetime = token.expiresAt - token.issuedAt;
    // A clock that was set back meanwhile must not lengthen the token's life.
    const at = (moment: number) => this.timers.after(Math.min(moment - now, lifetime));
    this.#alarms.unsubscribe();
    this.#alarms = merge(
      at(windows.dueAt).pipe(tap(() => { held.markDue(); })),
      at(windows.overAt).pipe(tap(() => { held.markOver(); })),
    ).subscribe(this.#tick);
    this.#alarms.add(at(token.expiresAt).subscribe(() => { this.#noteEnd(Infinity); }));
  }

  /** Looks at the clock: is the token due or over, and does anybody want another? */
  readonly #tick = (): void => {
    const now = this.#settings.now();
    const held = this.#held;
    this.#noteEnd(now);
    if (held?.isUsable(now) && !held.isDue(now)) return;
    this.#refresher.recheck();
    if (this.isWanted(now)) this.#renew(this.#need());
    else this.abandoned();
  };

  #noteEnd(now: number): void {
    const held = this.#held;
    if (!held || held.reported || now < held.token.expiresAt) return;
    held.reported = true;
    this.emit({ type: 'tokenExpired', token: held.token });
  }

  #need(): RefreshReason {
    return this.current ? 'scheduled' : this.#previous ? 'expired' : 'initial';
  }

  #renew(reason: RefreshReason): void {
    this.#stayAwake();
    this.#refresher.start(reason);
  }

  #waiting(begin: (subscriber: Subscriber<AccessToken>) => void): Observable<AccessToken> {
    // Hand-made: the subscriber itself is what waits, in a set that it can leave in constant time.
    return new Observable((subscriber) => {
      if (this.#closed) subscriber.error(new TokenStreamClosedError());
      else begin(subscriber);
    });
  }

  #wait(subscriber: Subscriber<AccessToken>, { maxWait = this.#settings.maxWait, instead = null }: { maxWait?: number | undefined; instead?: AccessToken | null }): void {
    this.#audience.wait(subscriber, instead);
    const late = this.timers.after(maxWait).subscribe(() => {
      subscriber.error(new TokenUnavailableError(`no usable token within ${String(maxWait)} ms`, { cause: this.#refresher.failure }));
    });
    subscriber.add(late);
  }

  #stayAwake(): void {
    if (this.#wake) return;
    const { wake, store } = this.#settings;
    this.#wake = new Subscription();
    this.#wake.add(wake.subscribe(this.#tick));
    this.#wake.add(store?.changes?.subscribe((stored) => { this.#adopt(stored); }));
  }

  #sleep(): void {
    this.#wake?.unsubscribe();
    this.#wake = null;
  }

  /** Someone else put a token into the store. */
  #adopt(stored: StoredToken): void {
    const now = this.#settings.now();
    const arrival = this.read(stored, now);
    const held = this.#held;
    if (now < arrival.windows.overAt && (!held?.isUsable(now) || arrival.token.issuedAt >= held.token.issuedAt)) this.arrived(arrival, 'scheduled');
  }

  #startFrom(response: TokenResponse): void {
    let arrival: Arrival;
    const now = this.#settings.now();
    try {
      arrival = this.read({ response, age: null, origin: 'initial' }, now);
    } catch (cause) {
      throw new TypeError(`option "initial" must be a token response: ${(cause as Error).message}`);
    }
    const { token, windows } = arrival;
    if (now >= windows.overAt) return;
    this.#previous = token;
    this.#stayAwake();
    this.#hold(token, windows, now);
    // Nobody can watch a stream before it exists: the event comes a tick later.
    this.#alarms.add(this.timers.after(0).subscribe(() => { this.emit({ type: 'tokenChanged', token, previous: null, reason: 'initial', took: 0, origin: 'initial' }); }));
  }
}
