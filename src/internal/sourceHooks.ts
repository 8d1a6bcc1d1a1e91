import type { Observable } from 'rxjs';

/**
 * Where a token source keeps what it does besides fetching; see `SourceHooks` in `token/proof.ts`. From the global
 * registry, so that two copies of the package agree.
 */
export const PROOF: unique symbol = Symbol.for('rx-fresh-token/proof');
export const ON_CLOSE: unique symbol = Symbol.for('rx-fresh-token/close');
export const ON_SIGN_OUT: unique symbol = Symbol.for('rx-fresh-token/sign-out');

/**
 * On a `TokenRequest`, put there by a source whose answer to it comes from an exchange already under way: by how many
 * milliseconds that was sent before this request was made. The token is so much older. A store that fetches finds it
 * here too.
 */
export const HEAD_START: unique symbol = Symbol.for('rx-fresh-token/head-start');

export const headStartOf = (request: object): number => {
  const given: unknown = (request as { readonly [HEAD_START]?: unknown })[HEAD_START];
  return typeof given === 'number' && given > 0 && given < Infinity ? given : 0;
};

/**
 * Among the options of a stream, put there by a pool of streams: bounds how many of them ask their sources at once. It
 * subscribes to an attempt when its turn has come.
 */
export const IN_TURN: unique symbol = Symbol.for('rx-fresh-token/in-turn');
export type InTurn = <T>(attempt$: Observable<T>) => Observable<T>;

/**
 * On an AbortSignal: the signal of the `TokenRequest` for which it stands in. A request with it is part of fetching a
 * token.
 */
export const ON_BEHALF_OF: unique symbol = Symbol.for('rx-fresh-token/on-behalf-of');

/** The signal of the `TokenRequest` behind a signal, or the signal itself. */
export const principalOf = (signal: AbortSignal): AbortSignal =>
  (signal as { readonly [ON_BEHALF_OF]?: AbortSignal })[ON_BEHALF_OF] ?? signal;

/** A signal of one's own for what is done for a request. */
export const onBehalfOf = (caller: AbortSignal, own: AbortSignal): AbortSignal =>
  Object.defineProperty(own, ON_BEHALF_OF, { value: principalOf(caller) });
