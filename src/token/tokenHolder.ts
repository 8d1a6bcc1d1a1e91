import { Subscription } from 'rxjs';
import { InvalidTokenResponseError } from '../errors.js';
import { sameToken } from './accessToken.js';
import type { TokenContext } from './context.js';
import type { TokenArrived } from './outcome.js';
import { isOverOnArrival, receivedToken, type SourceResult } from './receivedToken.js';
import { isWanted, NO_PAUSE, usableToken, type HeldToken } from './state.js';

/** A source whose tokens cannot be kept is asked at most this often. Milliseconds. */
const UNKEPT_PAUSE = 1000;

/** Takes up the tokens that come, and holds the last one with its timers. */
export interface TokenHolder {
  /** Takes up a token before anyone is told of it. The returned function says whether it still holds. */
  readonly takeUp: (outcome: TokenArrived) => () => boolean;
  /** A token that someone else put into the store; null if it is older, refused or over, or the same, which is kept with its new times. */
  readonly adopt: (stored: SourceResult) => TokenArrived | null;
  /** Begins with a token that is at hand. @throws TypeError if it is no token response */
  readonly startFrom: (response: unknown) => void;
  /** Stops the timers, and forgets the token. */
  readonly release: () => void;
}

export function createTokenHolder(context: TokenContext): TokenHolder {
  const { state, settings, now, timers, refusals, events, look, current, report } = context;
  let alarm = new Subscription();
  let isUnkeptTold = false;

  function hold(outcome: TokenArrived): void {
    const { token, dueAt, overAt, age } = outcome;
    const isAccepted = sameToken(token, state.held?.token) && state.held?.isAccepted === true;
    const endsAt = token.expiresAt;
    const held = { token, outcome, dueAt, overAt, endsAt, isSetAside: false, isAccepted, isEndTold: false };
    alarm.unsubscribe();
    alarm = new Subscription();
    state.held = held;
    setAlarm(held, token.issuedAt + age);
  }

  /** Announces the moments of a token one after the other: by its age, since the clock may be set back. */
  function setAlarm(held: HeldToken, from: number): void {
    const moments = (['dueAt', 'overAt', 'endsAt'] as const).filter((name) => held[name] > -Infinity);
    const at = Math.min(...moments.map((name) => held[name]));
    if (at === Infinity) return;
    alarm.add(
      timers.after(at - from).subscribe(() => {
        for (const name of moments) if (held[name] <= at) held[name] = -Infinity;
        setAlarm(held, Math.max(at, from));
        look();
      }),
    );
  }

  function release(): void {
    alarm.unsubscribe();
    state.held = null;
  }

  function tellUnkept(attempt: number, retryIn: number | null): void {
    if (isUnkeptTold) return;
    isUnkeptTold = true;
    const message = 'the token source returned a token that is already over: it is used once and not kept';
    report(new InvalidTokenResponseError(message), attempt, retryIn);
  }

  return {
    release,
    takeUp: (outcome) => {
      const { token, reason, attempt, took, origin, isRenewal } = outcome;
      const { previous, fetchingFor } = state;
      const time = now();
      const isChange = !sameToken(token, previous);
      const isKept = !isOverOnArrival(outcome, time);
      // A token that is over already never replaces a living one.
      const isNews = isKept || !usableToken(state, time);
      state.isRefreshing = false;
      state.failures = 0;
      state.lastError = undefined;
      state.permanentFailure = null;
      state.pause = isKept ? NO_PAUSE : { since: time - took, duration: UNKEPT_PAUSE };
      if (isNews) state.previous = token;
      state.sessionTokens?.add(token);
      state.unkept = isKept ? null : token;
      if (reason === 'rejected' && fetchingFor) refusals.remember(fetchingFor.key, fetchingFor.kind, time);
      if (isKept) {
        if (isChange && isRenewal) refusals.forgetBare();
        hold(outcome);
        if (state.subscribers > 0) state.lastUse = time;
      } else {
        // A token that was refused is over, now that the source has given another.
        if (state.held?.isSetAside) release();
        tellUnkept(attempt, isWanted(state, time, settings) ? Math.max(0, UNKEPT_PAUSE - took) : null);
      }
      if (isChange && isNews) events.emit({ type: 'tokenChanged', token, previous, reason, took, origin });
      return () => (isKept ? current() : state.unkept) === token;
    },
    adopt: (stored) => {
      const { held, previous } = state;
      const time = now();
      const received = receivedToken(stored, { sentAt: time, took: 0, now: time }, previous, settings);
      const { token } = received;
      const isOlder = token.issuedAt < (held?.token.issuedAt ?? -Infinity);
      // The store may not know yet that a server refused the token.
      const isRefused = held?.isSetAside === true && sameToken(token, held.token);
      if (isOlder || isRefused || isOverOnArrival(received, time)) return null;
      // No token is renewed on schedule in the first half of its life: others forced this one.
      const usable = usableToken(state, time);
      const isRenewal = !usable || time - usable.issuedAt >= (usable.expiresAt - usable.issuedAt) / 2;
      const outcome: TokenArrived = { type: 'token', ...received, reason: 'scheduled', attempt: 1, isRenewal };
      if (!sameToken(token, usable)) return outcome;
      hold(outcome);
      return null;
    },
    startFrom: (response) => {
      const time = now();
      const result = { response, origin: 'initial' } as SourceResult;
      const received = initialToken(() => receivedToken(result, { sentAt: time, took: 0, now: time }, null, settings));
      if (isOverOnArrival(received, time)) return;
      const { token } = received;
      state.previous = token;
      hold({ type: 'token', ...received, reason: 'initial', attempt: 1, isRenewal: true });
      // Nobody can listen to a stream before it exists: the event comes a tick later.
      alarm.add(
        timers.after(0).subscribe(() => {
          events.emit({ type: 'tokenChanged', token, previous: null, reason: 'initial', took: 0, origin: 'initial' });
        }),
      );
    },
  };
}

function initialToken<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new TypeError('option "initial" must be a token response', { cause });
  }
}
