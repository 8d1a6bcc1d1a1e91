import { onAbort } from '../internal/onAbort.js';
import { onBehalfOf } from '../internal/sourceHooks.js';
import type { TokenResponse } from '../token/types.js';

/** The chain of refresh tokens, where several processes rotate it and a store keeps its last link. */
export interface SharedChain {
  /**
   * The refresh token that the store holds, if it has moved on since it was last looked at. If not, what is at hand is as
   * good or newer: an own exchange of which the store never heard.
   */
  readonly moved: (last: TokenResponse | null | undefined) => string | undefined;
}

export function sharedChain(): SharedChain {
  let seen: string | undefined;
  return {
    moved: (last) => {
      const kept: unknown = last?.refresh_token;
      return typeof kept === 'string' && kept !== '' && kept !== seen ? (seen = kept) : undefined;
    },
  };
}

/** Aborts so many ms after another: a store stays to keep what an exchange brings whose caller has left. */
export function abortedLater(signal: AbortSignal, ms: number): AbortSignal {
  const controller = new AbortController();
  onAbort(signal, () => {
    const timer: { unref?(): void } = setTimeout(() => {
      controller.abort(signal.reason);
    }, ms);
    timer.unref?.();
  });
  return onBehalfOf(signal, controller.signal);
}
