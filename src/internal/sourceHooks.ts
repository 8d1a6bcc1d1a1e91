/**
 * Where a token source keeps what it does besides fetching; see `SourceHooks` in `token/proof.ts`. From the global
 * registry, so that two copies of the package agree.
 */
export const PROOF: unique symbol = Symbol.for('rx-fresh-token/proof');
export const ON_CLOSE: unique symbol = Symbol.for('rx-fresh-token/close');

/** On an AbortSignal: the signal of the `TokenRequest` for which it stands in. A request with it is part of fetching a token. */
export const ON_BEHALF_OF: unique symbol = Symbol.for('rx-fresh-token/on-behalf-of');
