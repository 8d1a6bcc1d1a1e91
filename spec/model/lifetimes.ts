import type { Facts } from './facts.js';

/** What the source is about to hand out. */
export interface Issued {
  readonly value: string;
  /** In ms; undefined when the response does not say. */
  readonly expiresIn: number | undefined;
  /** Of a JWT, in seconds. */
  readonly claims?: { readonly iat: number; readonly exp: number };
}

/** When the source was asked. */
export interface Asked {
  readonly clock: number;
}

/** The last token, as far as the next one is compared with it. */
export interface Previous {
  readonly value: string;
  readonly issuedAt: number;
  readonly endsAt: number;
  readonly shownAt: number;
  readonly iat: number | undefined;
}

/** When a token is renewed, over and expired. */
export interface Lifetime {
  readonly issuedAt: number;
  /** The same on the stream's own clock, which may be set. */
  readonly shownAt: number;
  /** Of a JWT, in seconds. */
  readonly iat: number | undefined;
  readonly life: number;
  /** From then on no request is given it. */
  readonly overAt: number;
  readonly endsAt: number;
  /** When its renewal may begin at the earliest, with all the jitter there can be, and must have begun, with none. */
  readonly dueFrom: number;
  readonly dueBy: number;
  /** By the timers, which know nothing of a sleep. */
  readonly arrivedReal: number;
  readonly arrivedClock: number;
}

/** Guarantees 1 to 5 and 30: the life of a token that comes now. */
export function lifetimeOf(
  issued: Issued,
  asked: Asked,
  previous: Previous | null | undefined,
  { options, real, clock, wall }: Pick<Facts, 'options' | 'real' | 'clock' | 'wall'>,
): Lifetime {
  const took = clock - asked.clock;
  const isSame = previous?.value === issued.value;
  const own = { issuedAt: asked.clock, life: lifeOf(issued, wall - took, previous) };
  const { issuedAt, life } = isSame && issued.expiresIn === undefined ? lifeLeft(own, previous) : own;
  const endsAt = issuedAt + life;
  const margin = Math.min(options.expiryMargin ?? usualMargin(issued, life), life / 2);
  const extra = options.expiryMargin === undefined ? margin - Math.min(1000, life / 30) : 0;
  const lead = options.refreshBefore ?? Math.max(Math.min(life / 6, 300_000) + extra, 1.5 * took + margin);
  const overAt = life === Infinity ? Infinity : Math.floor(endsAt - margin);
  const due = (jitter: number) =>
    life === Infinity ? Infinity : Math.max(issuedAt + 1, Math.floor(endsAt - Math.min(lead * (1 + jitter), life / 2)));
  const [from, by] = [due(options.jitter), due(0)];
  // The same token that is still due is asked for again after half of what is left.
  const again = Math.min(overAt, clock + Math.max(1000, (overAt - clock) / 2));
  return {
    issuedAt,
    shownAt: wall - (clock - issuedAt),
    iat: issued.claims?.iat,
    life,
    overAt,
    endsAt,
    dueFrom: isSame && from <= clock ? (by > clock ? clock : again) : from,
    dueBy: isSame ? Math.max(by, again) : by,
    arrivedReal: real,
    arrivedClock: clock,
  };
}

/** The same token has at most what is left of it. */
function lifeLeft(
  own: Pick<Lifetime, 'issuedAt' | 'life'>,
  { issuedAt, endsAt }: Previous,
): Pick<Lifetime, 'issuedAt' | 'life'> {
  return own.issuedAt + own.life <= endsAt ? own : { issuedAt, life: endsAt - issuedAt };
}

function lifeOf({ expiresIn, claims }: Issued, now: number, previous: Previous | null | undefined): number {
  // In floating-point numbers this is not always `expiresIn`. The stream reads seconds, too.
  if (expiresIn !== undefined) return Math.max(0, (expiresIn / 1000) * 1000);
  if (!claims) return Infinity;
  const left = claims.exp * 1000 - now;
  const whole = (claims.exp - claims.iat) * 1000;
  // An `iat` that is not before `exp` says nothing.
  if (whole <= 0) return Math.max(0, left);
  const least = isAsOld(claims.iat, now, previous) ? whole / 2 : Math.min(1000, whole / 30);
  return Math.max(0, left > least ? Math.min(left, whole) : whole);
}

/** As old as the token before was when it came. Where the guarantees leave open which that is: the longer life. */
function isAsOld(iat: number, now: number, previous: Previous | null | undefined): boolean {
  if (!previous) return previous === undefined;
  return previous.iat !== undefined && Math.abs((iat - previous.iat) * 1000 - (now - previous.shownAt)) < 2000;
}

/** Servers that count whole seconds round down. */
function usualMargin({ claims }: Issued, life: number): number {
  const usual = Math.min(1000, life / 30);
  const isWhole = !!claims && Number.isInteger(claims.exp) && Number.isInteger(claims.iat);
  return isWhole && (claims.exp - claims.iat) * 1000 === life ? Math.max(usual, Math.min(1000, life / 3)) : usual;
}
