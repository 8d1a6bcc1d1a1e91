import type { Windows } from './refreshPolicy.js';
import type { AccessToken } from './types.js';

/** A token and what is known of its fitness. The timer or the clock, whichever speaks first, is believed. */
export class HeldToken {
  /** Until this moment a request may take the token without a second look. */
  freshUntil: number;
  /** Its end was announced. */
  reported = false;
  #due = false;
  #over = false;
  #refused = false;

  constructor(
    readonly token: AccessToken,
    private readonly windows: Windows,
  ) {
    this.freshUntil = Math.min(windows.dueAt, windows.overAt);
  }

  isDue(now: number): boolean {
    return this.#due || now >= this.windows.dueAt;
  }

  isUsable(now: number): boolean {
    return !this.#refused && !this.isOver(now);
  }

  isOver(now: number): boolean {
    return this.#over || now >= this.windows.overAt;
  }

  get isRefused(): boolean {
    return this.#refused;
  }

  markDue(): void {
    this.#due = true;
    this.freshUntil = -Infinity;
  }

  markOver(): void {
    this.#over = true;
    this.freshUntil = -Infinity;
  }

  /** A server said that this token is no good: it never serves again. */
  refuse(): void {
    this.#refused = true;
    this.freshUntil = -Infinity;
  }
}
