import { decodeJwt } from 'jose';
import { explain } from '../demo/explain.js';
import type { LiveClock } from './liveClock.js';
import type { LaneEvent, Reason } from './liveEvent.js';
import { fingerprint, type TokenRegistry } from './tokenRegistry.js';

export interface TheirTokens {
  readonly clock: LiveClock;
  readonly registry: TokenRegistry;
  readonly emit: (event: LaneEvent) => void;
  /** Seconds that a token lives, whatever the token endpoint says. */
  readonly lifetime: number | undefined;
}

/** The status quo tells nobody of its tokens, so its token requests are watched. */
export const watchTokens = (send: typeof fetch, { clock, registry, emit, lifetime }: TheirTokens): typeof fetch => {
  let attempt = 0;
  return async (input, init) => {
    const issuedAt = clock.now();
    const reason: Reason = registry.current === undefined ? 'initial' : 'rejected';
    attempt += 1;
    const failed = (message: string): void =>
      emit({ type: 'failure', lane: 'theirs', at: clock.now(), attempt, message, retryIn: null });
    emit({ type: 'refresh', lane: 'theirs', at: issuedAt, reason, attempt });
    try {
      const response = await send(input, init);
      if (!response.ok) {
        failed(`the token endpoint answered ${response.status}`);
        return response;
      }
      const { access_token: value, expires_in: seconds } = (await response.clone().json()) as {
        access_token: string;
        expires_in?: number | string;
      };
      const life = (lifetime ?? Number(seconds ?? lifeOf(value))) * 1_000;
      const expiresAt = life > 0 ? issuedAt + life : Infinity;
      const { number, id } = registry.add(value, { id: fingerprint(value), expiresAt, slept: clock.slept });
      attempt = 0;
      emit({
        type: 'token',
        lane: 'theirs',
        at: clock.now(),
        token: number,
        id,
        issuedAt,
        expiresAt: Number.isFinite(expiresAt) ? expiresAt : null,
        reason,
      });
      return response;
    } catch (error) {
      failed(explain(error));
      throw error;
    }
  };
};

/** In seconds, by a JWT's own word; NaN for other tokens. */
function lifeOf(value: string): number {
  try {
    const { exp = NaN, iat = NaN } = decodeJwt(value);
    return exp - iat;
  } catch {
    return NaN;
  }
}
