import { isTokenError } from 'rx-fresh-token';
import type { Facts } from './facts.js';
import type { Failures } from './failures.js';
import type { Rejection } from './resourceMemory.js';
import type { Tokens } from './tokens.js';

/**
 * Somebody who waits: for a usable token, for the one that `refresh()` brings, or for the successor of a rejected one.
 */
export interface Waiter {
  readonly who: string;
  kind: 'take' | 'refresh' | 'recover';
  since: number;
  /** Before a token came that it may not have been given. */
  sinceBefore: number;
  seq: number;
  /** When it began to wait, whatever was replaced meanwhile. */
  readonly born: number;
  readonly maxWait: number;
  session: number;
  readonly rejection: Rejection | null;
}

const nameOf = (error: unknown) => (error instanceof Error ? error.name : typeof error);

/** How long somebody may wait, and for what reason a wait may end without a token. */
export class Waiters {
  private readonly all = new Set<Waiter>();

  constructor(
    private readonly facts: Facts,
    private readonly tokens: Tokens,
    private readonly failures: Failures,
  ) {}

  get size(): number {
    return this.all.size;
  }

  add(who: string, kind: Waiter['kind'], maxWait: number, rejection: Rejection | null = null): Waiter {
    const { facts } = this;
    const seq = ++facts.seq;
    const [since, born] = [facts.real, seq];
    const waiter = { who, kind, since, sinceBefore: since, seq, born, maxWait, session: facts.session, rejection };
    this.all.add(waiter);
    return waiter;
  }

  delete(waiter: Waiter | null): void {
    if (waiter) this.all.delete(waiter);
  }

  /** A wait ends without a token: with an error, or (null) with the rejection that the request had. */
  unserved(waiter: Waiter, error: unknown): void {
    this.all.delete(waiter);
    const { facts, tokens, failures } = this;
    const { who, since, sinceBefore, maxWait, seq, kind, session, rejection } = waiter;
    if (facts.isClosed) {
      if (error !== null && !isTokenError(error, 'ERR_TOKEN_STREAM_CLOSED') && session === facts.session)
        facts.violated('26', `${who} failed with ${nameOf(error)} after close()`);
      return;
    }
    if (error !== null && !isTokenError(error, 'ERR_TOKEN_UNAVAILABLE'))
      facts.violated('12', `${who} failed with ${nameOf(error)}`);
    const isSignedOut = session !== facts.session || facts.endOfSession > seq;
    const isLate = facts.real === since + maxWait || facts.real === sinceBefore + maxWait;
    const isPermanent = failures.permanentSeq > seq || failures.isBlocking || facts.jumps > 0;
    if (!isSignedOut && !isLate && !isPermanent && !(error === null && rejection && this.isPassedOn(rejection, waiter)))
      facts.violated(
        '12',
        `${who} ended after ${String(facts.real - since)} of ${String(maxWait)} ms: ${nameOf(error)}`,
      );
    if (isSignedOut || !error) return;
    if (failures.last && !failures.isUntold && (error as Error).cause !== failures.lastError)
      facts.violated('12', `${who} failed with another cause than the last failure`);
    if (kind === 'take' && tokens.mustServe() !== null) facts.violated('11', `${who} failed, though a token lives`);
  }

  /**
   * A rejection is passed on: no refresh is spent on it, the attempt failed, or the same token came; or one that cannot
   * be kept, to a call that a listener made before this one could wait.
   */
  private isPassedOn({ outcome, token, isOfHeld }: Rejection, { seq, since }: Waiter): boolean {
    const { arrival } = this.tokens;
    const isSame = !!arrival && arrival.seq > seq && arrival.value === token;
    const isTaken = isOfHeld && !!arrival && arrival.seq > seq && !arrival.isKept && since === this.facts.real;
    return (outcome ?? 'suppressed') === 'suppressed' || isSame || isTaken || (isOfHeld && this.failures.seq > seq);
  }

  /** After each thing that happens: nobody waits longer than needed. */
  settled(): void {
    const { facts, tokens, failures } = this;
    const usable = tokens.mustServe();
    const { arrival } = tokens;
    for (const waiter of this.all) {
      const { who, kind, seq, since, maxWait, session } = waiter;
      const waited = facts.real - since;
      if (facts.isClosed) facts.violated('26', `${who} still waits after close()`);
      if (session !== facts.session) facts.violated('36', `${who} still waits after signOut()`);
      if (waited > maxWait) facts.violated('12', `${who} still waits after ${String(waited)} ms`);
      if (kind === 'take' && usable !== null) facts.violated('4', `${who} waits, though ${usable} is usable`);
      if (failures.permanentSeq > seq) facts.violated('12', `${who} still waits after a permanent failure`);
      if (kind === 'recover' && usable !== null && failures.seq > seq)
        facts.violated('33', `${who} still waits after a failed attempt, though ${usable} serves on`);
      if (arrival && arrival.seq > seq) {
        if (usable === arrival.value) facts.violated('12', `${who} still waits, though ${usable} came`);
        // It came, and was rejected or replaced at once by somebody who heard of it before.
        waiter.seq = ++facts.seq;
        if (kind === 'recover') {
          waiter.kind = 'take';
          waiter.since = facts.real;
        }
      }
    }
  }
}
