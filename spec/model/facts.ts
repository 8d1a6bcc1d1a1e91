import type { Options } from './history.js';

export interface Clocks {
  /** What timers go by. */
  real(): number;
  /** The same, and ahead by what the machine has slept. Never set back. */
  clock(): number;
  /** What the stream is told the time is. */
  wall(): number;
}

/** What all checks share: the time, the session, and which guarantees were violated. */
export class Facts {
  readonly violations: string[] = [];
  isClosed = false;
  session = 1;
  /** The session has ended, and nobody has asked for a token since. */
  isSignedOut = false;
  /** How often the clock was set. What follows from elapsed time is only certain without. */
  jumps = 0;
  /** Counts what happens, to tell before from after within one moment. */
  seq = 0;
  listeners = 0;
  /** When somebody last did something with the stream, or stopped doing it. */
  lastActivity = -Infinity;
  /** Until then somebody may wait whom nobody sees: a request that cannot be repeated. */
  hiddenUntil = -Infinity;
  insideAction = 0;
  /** Somebody is about to use the stream. */
  starting = 0;
  /** Since then no token was revoked, no fetch failed, and nobody signed out. */
  calmSince = -Infinity;
  endOfSession = -1;

  constructor(
    readonly options: Options,
    readonly time: Clocks,
  ) {}

  get real(): number {
    return this.time.real();
  }

  get clock(): number {
    return this.time.clock();
  }

  get wall(): number {
    return this.time.wall();
  }

  get maxWait(): number {
    return this.options.maxWait ?? 30_000;
  }

  /** `guarantee`: its number in docs/guarantees.md, or what else was wrong. */
  violated(guarantee: string, what: string): void {
    this.violations.push(`${guarantee}: ${what} (at ${String(this.real)} ms, the clock says ${String(this.wall)})`);
  }

  active(): void {
    this.lastActivity = this.clock;
  }

  /** @param lasting how long it goes on, as a pause does that the token endpoint asked for */
  trouble(lasting = 0): void {
    this.calmSince = Math.max(this.calmSince, this.real + lasting);
  }

  endSession(): void {
    if (this.isSignedOut || this.isClosed) return;
    this.isSignedOut = true;
    this.session++;
    this.endOfSession = ++this.seq;
    this.trouble();
  }
}
