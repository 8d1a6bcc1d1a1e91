import type { Subscriber } from 'rxjs';
import { sameToken } from './accessToken.js';
import type { AccessToken } from './types.js';

interface Listener {
  readonly subscriber: Subscriber<AccessToken>;
  seen: AccessToken | null;
}

/**
 * Those who want a token: listeners stay for every new one, waiters leave with the next. Sets and not a Subject, since
 * a hundred thousand waiters that leave a Subject one by one take quadratic time.
 */
export class Audience {
  readonly #listeners = new Set<Listener>();
  readonly #waiters = new Map<Subscriber<AccessToken>, AccessToken | null>();

  /** @param onPresence told when the first one comes and the last one leaves */
  constructor(private readonly onPresence: (present: boolean) => void) {}

  get isEmpty(): boolean {
    return this.#listeners.size + this.#waiters.size === 0;
  }

  listen(subscriber: Subscriber<AccessToken>): Listener {
    const listener: Listener = { subscriber, seen: null };
    this.#listeners.add(listener);
    this.#join(subscriber, () => this.#listeners.delete(listener));
    return listener;
  }

  /** @param instead the refused token that the waiter wants another one for */
  wait(subscriber: Subscriber<AccessToken>, instead: AccessToken | null): void {
    this.#waiters.set(subscriber, instead);
    this.#join(subscriber, () => this.#waiters.delete(subscriber));
  }

  #join(subscriber: Subscriber<AccessToken>, leave: () => void): void {
    this.onPresence(true);
    subscriber.add(() => {
      leave();
      if (this.isEmpty) this.onPresence(false);
    });
  }

  /** A token arrived: waiters take it and leave. */
  serveWaiters(token: AccessToken): void {
    for (const waiter of [...this.#waiters.keys()]) {
      waiter.next(token);
      waiter.complete();
    }
  }

  /** @param isCurrent stops the round as soon as a listener has caused a newer token: nobody hears of an older one after it. */
  serveListeners(token: AccessToken, isCurrent: () => boolean): void {
    for (const listener of [...this.#listeners]) {
      if (!isCurrent()) return;
      this.offer(listener, token);
    }
  }

  offer(listener: Listener, token: AccessToken): void {
    if (sameToken(listener.seen, token)) return;
    listener.seen = token;
    listener.subscriber.next(token);
  }

  /** The refresh brought the refused token again: nobody who wanted another one need wait for it. */
  dismiss(refused: AccessToken): void {
    for (const [waiter, instead] of [...this.#waiters]) if (sameToken(instead, refused)) waiter.complete();
  }

  failWaiters(error: unknown): void {
    for (const waiter of [...this.#waiters.keys()]) waiter.error(error);
  }

  failListeners(error: unknown): void {
    for (const { subscriber } of [...this.#listeners]) subscriber.error(error);
  }

  completeListeners(): void {
    for (const { subscriber } of [...this.#listeners]) subscriber.complete();
  }
}
