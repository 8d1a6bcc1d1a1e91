/** Hidden members that link sources, stores, pools and signals to a stream. */

/**
 * Where a token source keeps what it does besides fetching; see `SourceHooks` in `token/proof.ts`. From the global
 * registry, so that two copies of the package agree.
 */
export const PROOF: unique symbol = Symbol.for('rx-fresh-token/proof');
export const ON_CLOSE: unique symbol = Symbol.for('rx-fresh-token/close');
export const ON_SIGN_OUT: unique symbol = Symbol.for('rx-fresh-token/sign-out');

/**
 * A member of a `TokenRequest`. A source sets it when its answer comes from an exchange that was already under way: how
 * many milliseconds before this request that exchange was sent. The token is that much older. A store reads it too.
 */
export const HEAD_START: unique symbol = Symbol.for('rx-fresh-token/head-start');

export const headStartOf = (request: object): number => {
  const given: unknown = (request as { readonly [HEAD_START]?: unknown })[HEAD_START];
  return typeof given === 'number' && given > 0 && given < Infinity ? given : 0;
};

/**
 * A member of an AbortSignal: the signal of the `TokenRequest` that it stands in for. A request with it is part of
 * fetching a token.
 */
export const ON_BEHALF_OF: unique symbol = Symbol.for('rx-fresh-token/on-behalf-of');

/** The signal of the `TokenRequest` behind a signal, or the signal itself. */
export const principalOf = (signal: AbortSignal): AbortSignal =>
  (signal as { readonly [ON_BEHALF_OF]?: AbortSignal })[ON_BEHALF_OF] ?? signal;

/** A signal of one's own for what is done for a request. */
export const onBehalfOf = (caller: AbortSignal, own: AbortSignal): AbortSignal =>
  Object.defineProperty(own, ON_BEHALF_OF, { value: principalOf(caller) });
