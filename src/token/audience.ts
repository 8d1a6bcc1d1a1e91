import type { Subscriber } from 'rxjs';
import { sameToken } from './accessToken.js';
import type { AccessToken } from './types.js';

/** Somebody who wants a token. */
export interface Guest {
  /** A waiter leaves with the next token; a listener stays for every new one. */
  readonly waits: boolean;
  /** Any usable token will do; otherwise only the next one. */
  readonly content: boolean;
  /** The last token that a listener was given; the refused one that a waiter wants another for. */
  known: AccessToken | null;
}

export type Audience = Map<Subscriber<AccessToken>, Guest>;

// A Map and not a Subject: a hundred thousand waiters that leave a Subject one by one take quadratic time. The rounds
// go over a copy, since whoever is served may come back at once.

/**
 * @param isGood asked before each guest: nobody hears of a token that another guest has just had replaced
 * @param isNews whether listeners hear of it
 */
export function serve(guests: Iterable<[Subscriber<AccessToken>, Guest]>, token: AccessToken, isGood: () => boolean, isNews: boolean): void {
  for (const [subscriber, guest] of guests) {
    if (!isGood()) return;
    if (guest.waits) {
      subscriber.next(token);
      subscriber.complete();
    } else if (isNews && !sameToken(guest.known, token)) {
      guest.known = token;
      subscriber.next(token);
    }
  }
}

/** Sends away those who match. */
export function dismiss(audience: Audience, matches: (guest: Guest) => unknown, how: (subscriber: Subscriber<AccessToken>) => void): void {
  for (const [subscriber, guest] of [...audience]) if (matches(guest)) how(subscriber);
}
