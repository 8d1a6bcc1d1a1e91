import type { TokenEvent } from 'rx-fresh-token';
import { explain } from '../demo/explain.js';
import type { LaneEvent } from './liveEvent.js';
import type { TokenRegistry } from './tokenRegistry.js';

/** What the library tells of its token, for the page; undefined for what is not drawn. */
export function ourEvent(event: TokenEvent, registry: TokenRegistry, slept: number): LaneEvent | undefined {
  const { at } = event;
  switch (event.type) {
    case 'refreshStarted':
      return { type: 'refresh', lane: 'ours', at, reason: event.reason, attempt: event.attempt };
    case 'tokenChanged': {
      const { id, value, issuedAt, expiresAt } = event.token;
      const { number } = registry.add(value, { id, expiresAt, slept });
      return {
        type: 'token',
        lane: 'ours',
        at,
        token: number,
        id,
        issuedAt,
        expiresAt: Number.isFinite(expiresAt) ? expiresAt : null,
        reason: event.reason,
      };
    }
    case 'refreshFailed':
      return {
        type: 'failure',
        lane: 'ours',
        at,
        attempt: event.attempt,
        message: explain(event.error),
        retryIn: event.retryIn,
      };
    case 'tokenRejected':
      return {
        type: 'rejected',
        lane: 'ours',
        at,
        token: registry.find(event.token.value)?.number ?? -1,
        outcome: event.outcome,
      };
    case 'tokenExpired':
      return { type: 'ended', lane: 'ours', at, token: registry.find(event.token.value)?.number ?? -1 };
    default:
      return undefined;
  }
}
