import { Observable, type Subscriber } from 'rxjs';
import { TokenStreamClosedError, TokenUnavailableError } from '../errors.js';
import type { Timers } from '../internal/timers.js';
import { sameToken } from './accessToken.js';
import type { Settings } from './options.js';
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

type Guests = readonly (readonly [Subscriber<AccessToken>, Guest])[];

/** What the audience needs to know of the stream, and what it tells. */
export interface AudienceHost {
  readonly isClosed: () => boolean;
  /** Why there is no token yet. */
  readonly failure: () => unknown;
  /** A listener used the token until now. */
  readonly onListenerLeft: () => void;
}

export interface Audience {
  /** For those who want a token of a stream that is open: calls `begin` with each subscriber. */
  readonly admit: (begin: (subscriber: Subscriber<AccessToken>) => void) => Observable<AccessToken>;
  readonly size: () => number;
  /** Those who are there now: whoever is served may come back at once, and wants the next token then. */
  readonly guests: () => Guests;
  /** Until the subscriber leaves. */
  readonly join: (subscriber: Subscriber<AccessToken>, guest: Guest) => void;
  /** Joins until a token comes, for at most `maxWait`. */
  readonly wait: (subscriber: Subscriber<AccessToken>, guest?: Partial<Guest>, maxWait?: number) => void;
  /** Sends away those who match. */
  readonly dismiss: (matches: (guest: Guest) => unknown, how: (subscriber: Subscriber<AccessToken>) => void) => void;
}

/** All who want a token. While anyone does, the stream's timers keep the process alive. */
export function createAudience(
  timers: Timers,
  { maxWait: longest }: Pick<Settings, 'maxWait'>,
  { isClosed, failure, onListenerLeft }: AudienceHost,
): Audience {
  // A Map and not a Subject: a hundred thousand waiters that leave a Subject one by one take quadratic time.
  const audience = new Map<Subscriber<AccessToken>, Guest>();
  const guests = () => [...audience];

  const join: Audience['join'] = (subscriber, guest) => {
    audience.set(subscriber, guest);
    timers.keepAlive(true);
    subscriber.add(() => {
      audience.delete(subscriber);
      timers.keepAlive(audience.size > 0);
      if (!guest.waits) onListenerLeft();
    });
  };

  return {
    // Hand-made: the subscriber itself is what waits, where it can leave in constant time.
    admit: (begin) =>
      new Observable((subscriber) => {
        if (isClosed()) subscriber.error(new TokenStreamClosedError());
        else begin(subscriber);
      }),
    size: () => audience.size,
    guests,
    join,
    wait: (subscriber, guest, maxWait = longest) => {
      // Whoever heard of a token's end may have closed the stream.
      if (isClosed()) {
        subscriber.error(new TokenStreamClosedError());
        return;
      }
      join(subscriber, { waits: true, content: false, known: null, ...guest });
      subscriber.add(
        timers.after(maxWait).subscribe(() => {
          subscriber.error(
            new TokenUnavailableError(`no usable token within ${String(maxWait)} ms`, { cause: failure() }),
          );
        }),
      );
    },
    dismiss: (matches, how) => {
      for (const [subscriber, guest] of guests()) if (matches(guest)) how(subscriber);
    },
  };
}

/**
 * @param isGood asked before each guest: nobody hears of a token that another guest has just had replaced
 * @param isNews whether listeners hear of it
 */
export function serve(guests: Guests, token: AccessToken, isGood: () => boolean, isNews: boolean): void {
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
