/** When a token is renewed, is given to no request any more, and ends: pure functions of its lifetime. */
import { jwtClaims } from '../../internal/values/jwtClaims.js';
import { callOption, randomShare } from './callOption.js';
import { lifetimeOfToken, usualMargin } from './lifetime.js';
import type { Settings } from '../options.js';
import type { AccessToken } from '../types.js';

const MAX_LEAD = 5 * 60_000;

type TimeSettings = Pick<Settings, 'jitter' | 'random'> & Partial<Pick<Settings, 'refreshBefore' | 'expiryMargin'>>;

/** Milliseconds on the steady clock. `issuedAt` and `expiresAt` are the first and last of them on the stream's own. */
export interface TokenTimes {
  /** When it was asked for, wherever that was. */
  readonly requestedAt: number;
  /** From then on it is renewed in the background. */
  readonly renewAt: number;
  /** From then on no request is given it. */
  readonly usableUntil: number;
  readonly endsAt: number;
}

/**
 * The moments of a token that took `took` ms to fetch.
 *
 * @param requestedAt on the steady clock
 */
export function timesOf(
  token: AccessToken,
  requestedAt: number,
  took: number,
  { refreshBefore, expiryMargin, jitter, random }: TimeSettings,
): TokenTimes {
  const lifetime = lifetimeOfToken(token);
  const endsAt = requestedAt + lifetime;
  if (lifetime === Infinity) return { requestedAt, renewAt: endsAt, usableUntil: endsAt, endsAt };
  const usual = usualMargin(lifetime);
  const margin = Math.min(expiryMargin ?? Math.max(usual, roundingOf(token.value, lifetime)), lifetime / 2);
  // The renewal begins earlier by this, so that it has as much time before the wider margin.
  const rounding = expiryMargin === undefined ? margin - usual : 0;
  const wished =
    typeof refreshBefore === 'function' ? callOption('refreshBefore', refreshBefore, token) : refreshBefore;
  // A callback's NaN or negative number must not stop renewals: the default is always right.
  const lead =
    wished !== undefined && wished >= 0
      ? wished
      : Math.max(Math.min(lifetime / 6, MAX_LEAD) + rounding, 1.5 * took + margin);
  const jittered = Math.min(lead * (1 + jitter * randomShare(random)), lifetime / 2);
  // Never due at once: a synchronous source would be asked for ever within one moment.
  const renewAt = Math.max(requestedAt + 1, Math.floor(endsAt - jittered));
  return { requestedAt, renewAt, usableUntil: Math.floor(endsAt - margin), endsAt };
}

/**
 * A server that rounds `iat` and `exp` down to whole seconds issues a JWT that ends up to one second early. (By its own
 * clock: neither claim can be compared with ours.) At most a third of the life.
 */
function roundingOf(value: string, lifetime: number): number {
  const { exp, iat } = jwtClaims(value);
  const isWhole =
    Number.isInteger(exp) && Number.isInteger(iat) && ((exp as number) - (iat as number)) * 1000 === lifetime;
  return isWhole ? Math.min(1000, lifetime / 3) : 0;
}
