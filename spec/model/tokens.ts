import type { RefreshReason } from 'rx-fresh-token';
import type { Facts } from './facts.js';
import { lifetimeOf, type Asked, type Issued, type Lifetime, type Previous } from './lifetimes.js';

interface Held extends Lifetime {
  readonly value: string;
  /** `yes`: an explicit rejection came, and the first attempt to replace the token is under way. */
  suspended: 'no' | 'unsure' | 'yes';
  isAccepted: boolean;
  /** `tokenExpired` was emitted. */
  isEndTold: boolean;
  /** It may be the very token before, which the guarantees leave open: then it may have less life, or none. */
  readonly isUnsure: boolean;
}

export interface Arrival {
  readonly value: string;
  readonly seq: number;
  readonly real: number;
  readonly isKept: boolean;
  readonly isSame: boolean;
}

/** The token at hand, and which one may, and must, be served. */
export class Tokens {
  held: Held | null = null;
  /** The last token; undefined when the guarantees leave open which it is. */
  previous: Previous | null | undefined = null;
  arrival: Arrival | null = null;
  /** In which session a value first came, and as which token. */
  readonly sessions = new Map<string, number>();
  readonly serials = new Map<string, number>();
  /** What `tokenChanged` must tell; null when the guarantees leave it open. */
  expectedChanges: string[] | null = [];
  asksSince = 0;
  lastUse = -Infinity;

  constructor(private readonly facts: Facts) {}

  /** Nothing known speaks against the token. */
  mayServe(): string | null {
    const { held, facts } = this;
    if (!held || held.suspended === 'yes' || facts.isClosed) return null;
    return facts.clock < held.overAt ? held.value : null;
  }

  /** Nothing speaks against it for certain. */
  mustServe(): string | null {
    const { held } = this;
    return held?.suspended === 'no' && !held.isUnsure ? this.mayServe() : null;
  }

  /** A token comes from the source. Returns it as it was taken. */
  arrive(issued: Issued, asked: Asked & { readonly reason: RefreshReason }): Arrival {
    const { facts, previous } = this;
    const { real, clock } = facts;
    const { value } = issued;
    const isSame = previous?.value === value;
    const lifetime = lifetimeOf(issued, asked, previous, facts);
    const isKept = lifetime.arrivedClock < lifetime.overAt;
    const living = this.mayServe();
    const isCertain = living === this.mustServe() && previous !== undefined;
    const isNews = isKept || living === null;
    const isComparable = issued.claims !== undefined || this.serials.has(value);
    const isUnsure = previous === undefined && isComparable && issued.expiresIn === undefined;
    this.sessions.set(value, facts.session);
    if (!this.serials.has(value)) this.serials.set(value, this.serials.size);
    if (!isCertain && (!isKept || previous === undefined)) this.expectedChanges = null;
    else if (!isSame && isNews) this.expectedChanges?.push(value);
    this.arrival = { value, seq: ++facts.seq, real, isKept, isSame };
    if (isKept) {
      const isAccepted = asked.reason !== 'rejected' && this.held?.value === value && this.held.isAccepted;
      this.held = {
        ...lifetime,
        value,
        suspended: 'no',
        isAccepted,
        isEndTold: false,
        isUnsure,
      };
      this.asksSince = 0;
    } else if (this.held?.suspended !== 'no') this.held = null;
    if (isNews) this.previous = (isCertain || isKept) && !isUnsure ? { value, ...lifetime } : undefined;
    else if (!isCertain) this.previous = undefined;
    if (facts.listeners > 0) this.lastUse = clock;
    return this.arrival;
  }

  /** A token is about to leave with a request, or is handed to somebody who has waited since `seq`. */
  given(value: string, who: string, since: number): void {
    const { facts, held, arrival } = this;
    if (facts.isClosed) facts.violated('26', `${who} was given a token after close()`);
    if (this.sessions.get(value) !== facts.session)
      facts.violated('36', `${who} was given ${value} of a session that has ended`);
    if (this.mayServe() === value) {
      this.lastUse = facts.clock;
      return;
    }
    const isUnkept = arrival?.value === value && !arrival.isKept && arrival.real === facts.real;
    if (isUnkept && since < arrival.seq) return;
    if (held?.value === value && held.suspended === 'yes')
      facts.violated('19', `${who} was given ${value}, which is set aside`);
    else if (isUnkept)
      facts.violated('3', `${who} came after ${value}, which has no life, and was given it all the same`);
    else facts.violated('5', `${who} was given ${value}, whose life is over`);
  }

  forget(): void {
    this.held = null;
    this.previous = null;
    this.asksSince = 0;
    this.lastUse = -Infinity;
  }

  /** After each thing that happens: what must be true of the token. */
  settled(current: string | null, isAsking: boolean): void {
    const { held, facts } = this;
    if (held && held.suspended !== 'no' && !isAsking) held.suspended = 'no';
    const usable = this.mustServe();
    if (current !== null && current !== this.mayServe()) facts.violated('current', `${current} is not usable`);
    if (usable !== null && current !== usable)
      facts.violated('current', `${String(current)}, though ${usable} is usable`);
    if (!held || facts.isClosed || held.isUnsure) return;
    const elapsed = facts.real - held.arrivedReal;
    // A JWT says its times in seconds: as binary fractions they are less exact than a timer.
    if (!held.isEndTold && elapsed > 1 + Math.max(0, Math.min(held.life, held.endsAt - held.arrivedClock)))
      facts.violated('38', `nothing said that ${held.value} ended`);
  }
}
