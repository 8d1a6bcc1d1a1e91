import type { AccessToken, TokenEvent } from 'rx-fresh-token';
import { explain } from './explain.js';

const HOW = {
  initial: 'fetched',
  scheduled: 'renewed in the background',
  expired: 'fetched after its end',
  rejected: 'fetched after a refusal',
  manual: 'fetched on demand',
} as const;

/**
 * One line for what happened to the token, or undefined for what nobody needs to read. An event never shows the secret.
 */
export function describe(event: TokenEvent): string | undefined {
  switch (event.type) {
    case 'tokenChanged': {
      const { token, reason, took } = event;
      return `token ${token.id} ${HOW[reason]} in ${Math.round(took)} ms${reason === 'initial' ? `, ${life(token)}` : ''}`;
    }
    case 'refreshFailed': {
      const next = event.retryIn === null ? '' : `; again in ${(event.retryIn / 1_000).toFixed(1)} s`;
      return `token fetch ${event.attempt} failed: ${explain(event.error)}${next}`;
    }
    case 'tokenRejected':
      return `token ${event.token.id} refused by the API: ${event.outcome}`;
    case 'tokenExpired':
      return `token ${event.token.id} ended and has no successor yet`;
    default:
      return undefined;
  }
}

const life = ({ issuedAt, expiresAt }: AccessToken): string =>
  Number.isFinite(expiresAt) ? `lives ${((expiresAt - issuedAt) / 1_000).toFixed(1)} s` : 'its life is unknown';
