import { Subscription } from 'rxjs';
import { InvalidTokenResponseError } from '../errors.js';
import { messageOf } from '../internal/messageOf.js';
import { sameToken } from './accessToken.js';
import type { TokenContext } from './context.js';
import {
  isUnusableOnArrival,
  receivedToken,
  setBackOf,
  type ReceivedToken,
  type SourceResult,
} from './receivedToken.js';
import { isSuspended, isWanted, NO_PAUSE, usableToken, type HeldToken } from './state.js';
import type { TokenArrived } from './tokenUpdate.js';

/** A source whose tokens cannot be kept is asked at most this often. Milliseconds. */
const SINGLE_USE_PAUSE = 1000;

const MOMENTS = ['renewAt', 'usableUntil', 'expiresAt'] as const;

/** The next moment of a token that a timer is to announce. */
export const nextMoment = (held: HeldToken): number =>
  Math.min(...MOMENTS.map((name) => held[name]).filter((at) => at > -Infinity));

/** A timer has announced a moment. */
export function reachMoment(held: HeldToken, announced: number): void {
  for (const name of MOMENTS) if (held[name] <= announced) held[name] = -Infinity;
}

/** Holds the last token, with the timers that announce its moments. */
export interface TokenHolder {
  /** Holds a token, and emits `tokenChanged`. */
  readonly hold: (arrived: TokenArrived) => void;
  /**
   * A token that someone else put into the store; null if it is older, rejected or expired, or the same, which is kept
   * with its new times.
   */
  readonly fromStore: (stored: SourceResult) => TokenArrived | null;
  /** Begins with a token that is at hand. @throws TypeError if it is no token response */
  readonly holdInitial: (response: unknown) => void;
  /** Announces the moments of a token, after `from` on the stream's clock. */
  readonly startTimer: (held: HeldToken, from: number) => void;
  /** Stops the timers, and forgets the token. */
  readonly release: () => void;
}

export function createTokenHolder(context: TokenContext): TokenHolder {
  const { state, settings, now, timers, rejections, events, recheck, report } = context;
  let timer = new Subscription();

  function setHeld(update: TokenArrived): void {
    const { token, renewAt, usableUntil, age } = update;
    const isAccepted = sameToken(token, state.held?.token) && state.held?.isAccepted === true;
    const times = { renewAt, usableUntil, expiresAt: token.expiresAt };
    const held = { token, update, ...times, isSuspended: false, isAccepted, isExpiryReported: false };
    timer.unsubscribe();
    timer = new Subscription();
    state.held = held;
    state.sessionTokens?.add(token);
    startTimer(held, token.issuedAt + age);
  }

  function setPrevious({ token, age }: ReceivedToken): void {
    state.previous = token;
    state.clockLead = token.issuedAt + age - settings.ticks();
  }

  /** Announces the moments of a token one after the other: by its age, since the clock may be set back. */
  function startTimer(held: HeldToken, from: number): void {
    const at = nextMoment(held);
    if (at === Infinity) return;
    timer.add(
      timers.after(at - from).subscribe(() => {
        reachMoment(held, at);
        startTimer(held, Math.max(at, from));
        recheck();
      }),
    );
  }

  function release(): void {
    timer.unsubscribe();
    state.held = null;
  }

  function reportSingleUse(attempt: number, retryIn: number | null): void {
    if (state.isSingleUseReported) return;
    state.isSingleUseReported = true;
    const message = 'the token source returned a token that has already expired: it is used once and not kept';
    report(new InvalidTokenResponseError(message), attempt, retryIn);
  }

  return {
    startTimer,
    release,
    hold: (arrived) => {
      const { token, reason, attempt, took, origin, isRenewal } = arrived;
      const { previous, fetchingForRejection } = state;
      const time = now();
      const isChange = !sameToken(token, previous);
      const isKept = !isUnusableOnArrival(arrived, time);
      // Another process may have shared it: what was to be replaced is replaced.
      if (isChange) Object.assign(state, { rejection: null, isForced: false });
      // A token that has already expired never replaces a usable one.
      const isLatest = isKept || !usableToken(state, time);
      state.isRefreshing = false;
      state.failures = 0;
      state.lastError = undefined;
      state.permanentFailure = null;
      state.pause = isKept ? NO_PAUSE : { since: time - took, duration: SINGLE_USE_PAUSE };
      if (isLatest) setPrevious(arrived);
      state.singleUse = isKept ? null : token;
      if (reason === 'rejected' && fetchingForRejection) rejections.fetchedFor(fetchingForRejection, time);
      if (isKept) {
        if (isChange && isRenewal) rejections.forgetBare();
        setHeld(arrived);
        if (state.subscribers > 0) state.lastUse = time;
      } else {
        state.sessionTokens?.add(token);
        // A token that was rejected is not used again, now that the source has given another.
        if (state.held?.isSuspended) release();
      }
      if (isChange && isLatest) events.emit({ type: 'tokenChanged', token, previous, reason, took, origin });
      // A `tokenChanged` listener may have ended the session of this token.
      if (state.singleUse === token)
        reportSingleUse(attempt, isWanted(state, time, settings) ? Math.max(0, SINGLE_USE_PAUSE - took) : null);
    },
    fromStore: (stored) => {
      const { held } = state;
      const time = now();
      const received = receivedToken(stored, { sentAt: time, took: 0, now: time }, state, settings);
      const { token } = received;
      const isOlder = held !== null && token.issuedAt < held.token.issuedAt - setBackOf(state, time, settings);
      // The store may not know yet that a server rejected the token.
      if (isOlder || isSuspended(state, token) || isUnusableOnArrival(received, time)) return null;
      // No token is renewed on schedule in the first half of its life: others forced this one.
      const usable = usableToken(state, time);
      const isRenewal = !usable || time - usable.issuedAt >= (usable.expiresAt - usable.issuedAt) / 2;
      const arrived: TokenArrived = { type: 'token', ...received, reason: 'scheduled', attempt: 1, isRenewal };
      if (!sameToken(token, usable)) return arrived;
      setHeld(arrived);
      return null;
    },
    holdInitial: (response) => {
      const time = now();
      const result = { response, origin: 'initial' } as SourceResult;
      let received;
      try {
        received = receivedToken(result, { sentAt: time, took: 0, now: time }, state, settings);
      } catch (cause) {
        throw new TypeError(`option "initial" must be a token response: ${messageOf(cause)}`, { cause });
      }
      if (isUnusableOnArrival(received, time)) return;
      const { token } = received;
      setPrevious(received);
      setHeld({ type: 'token', ...received, reason: 'initial', attempt: 1, isRenewal: true });
      // A stream has no listeners before it exists: the event comes a tick later.
      timer.add(
        timers.after(0).subscribe(() => {
          events.emit({ type: 'tokenChanged', token, previous: null, reason: 'initial', took: 0, origin: 'initial' });
        }),
      );
    },
  };
}
