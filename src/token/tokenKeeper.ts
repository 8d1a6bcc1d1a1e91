import { Subject, Subscription, type Observable } from 'rxjs';
import { InvalidTokenResponseError, TokenStreamClosedError, TokenUnavailableError } from '../errors.js';
import { ON_CLOSE, PROOF } from '../internal/sourceHooks.js';
import { createTimers, type Timers } from '../internal/timers.js';
import { sameToken } from './accessToken.js';
import { arrivalOf, isOverOnArrival, type Arrival } from './arrival.js';
import { createAudience, serve, type Guest } from './audience.js';
import type { TokenEvent, TokenIncident } from './events.js';
import { holdToken, type HeldToken } from './heldToken.js';
import { settingsOf } from './options.js';
import type { SourceHooks, TokenProof } from './proof.js';
import { createRecovery, type Recovery } from './recovery.js';
import { createRefresher } from './refresher.js';
import { createFruitlessRefreshes, type FruitlessRefreshes } from './rejection.js';
import { createSourceCalls, type Answer } from './sourceCalls.js';
import type { AccessToken, RefreshReason, TokenSource, TokenStreamOptions } from './types.js';
import { createVigil } from './vigil.js';

/** A source whose tokens cannot be kept is asked at most this often. */
const UNCACHED_PACE = 1000;

/** What streams, operators and clients share behind one token. */
export interface TokenKeeper extends Pick<Recovery, 'recover' | 'reject' | 'wasRefused'> {
  /** The usable token now, then every new one. */
  readonly token$: Observable<AccessToken>;
  readonly events$: Observable<TokenEvent>;
  readonly timers: Timers;
  readonly fruitless: FruitlessRefreshes;
  /** What proves possession of the key that the source's tokens are bound to, if they are. */
  readonly proof: TokenProof | undefined;
  /** Whether a request made now, with this signal, is part of fetching a token. */
  readonly owns: (signal?: AbortSignal | null) => boolean;
  readonly isClosed: () => boolean;
  /** The usable token, without side effects. */
  readonly current: () => AccessToken | null;
  /** The token for a request that leaves now, or null if it must wait. */
  readonly use: () => AccessToken | null;
  /** Emits the usable token, now or within `maxWait`. */
  readonly take: (maxWait?: number) => Observable<AccessToken>;
  /** Forces a refresh, or joins the one under way. */
  readonly refresh: () => Observable<AccessToken>;
  readonly close: () => void;
}

/** The one place that acts: holds the token, has it renewed when policy says so, and serves those who want it. */
export function createKeeper(source: TokenSource, options: TokenStreamOptions): TokenKeeper {
  const settings = settingsOf(options);
  const hooks = source as SourceHooks;
  const { now, store } = settings;
  const timers = createTimers(settings.scheduler);
  const { ask, owns, pending } = createSourceCalls(source, settings, timers);
  const fruitless = createFruitlessRefreshes();
  const events = new Subject<TokenEvent>();
  let held: HeldToken | null = null;
  let previous: AccessToken | null = null;
  let pace = new Subscription();
  const ending = new Subscription();
  let lastUse = -Infinity;
  let closed = false;

  const emit = (incident: TokenIncident) => {
    events.next({ ...incident, at: now() });
  };
  /** A failure that the token survives. */
  const report = (error: unknown, attempt = 1, retryIn: number | null = null) => {
    emit({ type: 'refreshFailed', error, attempt, retryIn, permanent: false });
  };
  const onError = (error: unknown) => {
    report(error);
  };
  const vigil = createVigil(settings, { onWake: tick, onPush: adopt, onError });
  const current = () => (held?.isUsable(now()) ? held.token : null);
  const need = (): RefreshReason => (current() ? 'scheduled' : previous ? 'expired' : 'initial');

  function isWanted(): boolean {
    const time = now();
    lastUse = Math.min(lastUse, time);
    const lifetime = previous ? previous.expiresAt - previous.issuedAt : 0;
    // Where nobody knows how long a token lives, nobody would ever be gone.
    return (
      audience.size() > 0 ||
      time - lastUse < (settings.idleTimeout ?? (lifetime === Infinity ? settings.maxWait : lifetime))
    );
  }

  function use(): AccessToken | null {
    const mine = held;
    if (!mine) return null;
    const time = now();
    // All that a fresh token costs.
    if (mine.isFresh(time)) {
      lastUse = time;
      return mine.token;
    }
    if (!mine.isUsable(time)) return null;
    lastUse = time;
    renew('scheduled');
    return current();
  }

  // ---- those who want a token

  const audience = createAudience(timers, settings, {
    isClosed: () => closed,
    failure: () => refresher.failure(),
    onListenerLeft: () => (lastUse = now()),
  });

  const take = (maxWait?: number): Observable<AccessToken> =>
    audience.admit((subscriber) => {
      const token = use();
      if (token) {
        subscriber.next(token);
        subscriber.complete();
      } else if (owns()) {
        subscriber.error(new TokenUnavailableError('a token source cannot wait for its own token'));
      } else {
        audience.wait(subscriber, { content: true }, maxWait);
        renew(need());
      }
    });

  const token$ = audience.admit((subscriber) => {
    const guest: Guest = { waits: false, content: true, known: null };
    audience.join(subscriber, guest);
    vigil.keep();
    const token = use();
    if (!token) renew(need());
    else if (!sameToken(guest.known, token)) {
      guest.known = token;
      subscriber.next(token);
    }
  });

  // ---- time

  function noteEnd(): void {
    if (held?.hasJustEnded(now())) emit({ type: 'tokenExpired', token: held.token });
  }

  /** Looks at the clock: is the token due or over, and does anybody want another? */
  function tick(): void {
    noteEnd();
    if (held?.isFresh(now())) return;
    if (isWanted()) renew(need());
    else sleep();
  }

  /** Starts a refresh, or joins the one under way, unless whoever hears why has already caused one. */
  function renew(reason: RefreshReason, announce = noteEnd): void {
    const before = refresher.count();
    announce();
    if (closed || refresher.count() !== before) return;
    // Right after a failure for good there is nothing to stay awake for.
    if (!refresher.isBlocked()) vigil.keep();
    refresher.start(reason);
  }

  function sleep(): void {
    if (vigil.end()) emit({ type: 'idle' });
  }

  // ---- tokens that arrive

  const refusedAgain = () => new InvalidTokenResponseError('the very token that was refused came again');

  function read(answer: Answer, sentAt: number, took: number): Arrival {
    const arrival = arrivalOf(answer, { sentAt, took, now: now() }, settings);
    const { token } = arrival;
    if (recovery.wasRefused(token)) {
      audience.dismiss(
        ({ waits, known }) => waits && sameToken(known, token),
        (subscriber) => {
          subscriber.complete();
        },
      );
      throw refusedAgain();
    }
    return arrival;
  }

  function hold(arrival: Arrival): void {
    held?.release();
    pace.unsubscribe();
    held = holdToken(arrival, timers, { onWindow: tick, onEnd: noteEnd });
    previous = arrival.token;
  }

  function onToken(
    arrival: Arrival,
    reason: RefreshReason,
    attempt: number,
    isRenewal = reason !== 'rejected' && reason !== 'manual',
  ): void {
    const { token, took, origin } = arrival;
    const replaced = previous;
    const changed = !sameToken(token, replaced);
    const kept = !isOverOnArrival(arrival, now());
    const news = kept || !current();
    // Those who come while this token is announced want the next one.
    const guests = audience.guests();
    if (kept) {
      if (changed && isRenewal) fruitless.clear();
      hold(arrival);
    } else {
      refresher.pause(now() - took, UNCACHED_PACE);
      pace.unsubscribe();
      pace = timers.after(UNCACHED_PACE - took).subscribe(tick);
      if (news) previous = token;
      else
        report(
          new InvalidTokenResponseError('the token source returned a token that is already over'),
          attempt,
          isWanted() ? Math.max(0, UNCACHED_PACE - took) : null,
        );
    }
    if (kept && guests.length > 0) lastUse = now();
    if (changed && news) emit({ type: 'tokenChanged', token, previous: replaced, reason, took, origin });
    serve(
      guests,
      token,
      () => (kept ? current() === token : !recovery.wasRefused(token) && (!news || previous === token)),
      news,
    );
  }

  /** Someone else put a token into the store. */
  function adopt(stored: Answer): void {
    try {
      const arrival = arrivalOf(stored, { sentAt: now(), took: 0, now: now() }, settings);
      if (recovery.wasRefused(arrival.token)) throw refusedAgain();
      if (isOverOnArrival(arrival, now()) || arrival.token.issuedAt < (current()?.issuedAt ?? -Infinity)) return;
      const usable = current();
      if (!sameToken(arrival.token, usable)) refresher.settle();
      // None is renewed on schedule in the first half of its life: others have forced this one, and that says nothing about what is forbidden.
      onToken(arrival, 'scheduled', 1, !usable || now() - usable.issuedAt >= (usable.expiresAt - usable.issuedAt) / 2);
    } catch (error) {
      report(error);
    }
  }

  function startFrom(response: unknown): void {
    let arrival: Arrival;
    try {
      arrival = read({ response: response as Answer['response'], origin: 'initial' }, now(), 0);
    } catch (cause) {
      throw new TypeError('option "initial" must be a token response', { cause });
    }
    if (isOverOnArrival(arrival, now())) return;
    vigil.keep();
    hold(arrival);
    // Nobody can watch a stream before it exists: the event comes a tick later.
    pace = timers.after(0).subscribe(() => {
      emit({
        type: 'tokenChanged',
        token: arrival.token,
        previous: null,
        reason: 'initial',
        took: 0,
        origin: 'initial',
      });
    });
  }

  function close(): void {
    if (closed) return;
    closed = true;
    emit({ type: 'closed' });
    // A shared token is not this stream's to revoke.
    if (!store) hooks[ON_CLOSE]?.(previous, pending());
    refresher.stop();
    vigil.end();
    pace.unsubscribe();
    ending.unsubscribe();
    held?.release();
    held = previous = null;
    recovery.forget();
    fruitless.clear();
    const error = new TokenStreamClosedError();
    audience.dismiss(
      ({ waits }) => waits,
      (subscriber) => {
        subscriber.error(error);
      },
    );
    audience.dismiss(
      () => true,
      (subscriber) => {
        subscriber.complete();
      },
    );
    events.complete();
  }

  const refresher = createRefresher<Arrival>(ask, settings, timers, {
    previous: () => previous,
    remaining: () => (current()?.expiresAt ?? Infinity) - now(),
    isWanted,
    onAttempt: (reason, attempt) => {
      if (reason === 'rejected' && attempt === 1) recovery.began();
      emit({ type: 'refreshStarted', reason, attempt });
    },
    read,
    onToken,
    onFailure: (error) => {
      audience.dismiss(
        ({ content }) => !content || !current(),
        (subscriber) => {
          subscriber.error(error);
        },
      );
      // The failure has told that nothing more will be tried.
      if (!current() && !isWanted()) vigil.end();
    },
    onAbandoned: () => {
      if (isWanted()) tick();
      else sleep();
    },
    emit,
  });

  const recovery = createRecovery(settings, fruitless, refresher, {
    held: () => held,
    take,
    another: (instead, begin, maxWait) =>
      audience.admit((subscriber) => {
        audience.wait(subscriber, { known: instead }, maxWait);
        begin();
      }),
    renew,
    emit,
  });

  const { initial } = options;
  if (initial !== undefined) startFrom(initial);
  ending.add(store?.closed?.subscribe({ next: close, error: onError }));

  return {
    token$,
    events$: events.asObservable(),
    timers,
    fruitless,
    proof: hooks[PROOF],
    owns,
    isClosed: () => closed,
    current,
    use,
    take,
    refresh: () =>
      audience.admit((subscriber) => {
        audience.wait(subscriber);
        renew('manual');
      }),
    recover: recovery.recover,
    reject: recovery.reject,
    wasRefused: recovery.wasRefused,
    close,
  };
}
