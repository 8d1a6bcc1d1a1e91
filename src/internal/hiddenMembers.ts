/** Hidden members that link sources, stores, pools and signals to a stream. */

/**
 * Where a token source keeps what it does besides fetching; see `SourceHooks` in `token/sourceHooks.ts`. From the
 * global registry, so that two copies of the package agree.
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
 * A member of the signal of a `TokenRequest`, and of those that stand in for it: the stream that a request with it works
 * for. Other signals do not get it, since adding a member to one takes a microsecond.
 */
export const ON_BEHALF_OF: unique symbol = Symbol.for('rx-fresh-token/on-behalf-of');

/** The part of a stream that a source finds by the signal. */
export interface Requester {
  /** A source tells what it has besides fetching. Absent in older copies of the package. */
  readonly learnHooks?: (hooks: object) => void;
}

type Marked = { [ON_BEHALF_OF]?: Requester } | null | undefined;

/** Not by `Object.assign`, which takes as long as making the signal. */
export function markSignal(signal: AbortSignal, requester: Requester): AbortSignal {
  (signal as NonNullable<Marked>)[ON_BEHALF_OF] = requester;
  return signal;
}

/** The stream that a request with this signal works for, if there is one. */
export const requesterBehind = (signal: AbortSignal | null | undefined): Requester | undefined =>
  (signal as Marked)?.[ON_BEHALF_OF];

/** Marks the signal that replaces the caller's, if that has a mark. */
export function onBehalfOf(caller: AbortSignal | null | undefined, replacing: AbortSignal): AbortSignal {
  const requester = requesterBehind(caller);
  return requester ? markSignal(replacing, requester) : replacing;
}
