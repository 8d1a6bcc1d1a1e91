/** Hidden members that link sources, stores, pools and signals to a stream. */

/**
 * Where a token source keeps what it does besides fetching; see `SourceHooks` in `token/sourceHooks.ts`. From the
 * global registry, so that two copies of the package agree.
 */
export const PROOF: unique symbol = Symbol.for('rx-fresh-token/proof');
export const ON_CLOSE: unique symbol = Symbol.for('rx-fresh-token/close');
export const ON_SIGN_OUT: unique symbol = Symbol.for('rx-fresh-token/sign-out');

/**
 * A member of a token response: the source that gave it, which has hooks. A function around the source hides these, and
 * passes the response on.
 */
export const GIVEN_BY: unique symbol = Symbol.for('rx-fresh-token/given-by');

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
 * A member of a `TokenRequest` of a stream with a store: a function that returns the request itself, for its copies
 * (`{ ...request, signal }`). They lack `last` and `report`, which are not enumerable, since `last` is a secret.
 */
export const ORIGINAL: unique symbol = Symbol.for('rx-fresh-token/original');

/** The request itself, of a copy. */
export const originalOf = <R extends object>(request: R & { readonly [ORIGINAL]?: () => R }): R =>
  request[ORIGINAL]?.() ?? request;

/**
 * A member of the signal of a `TokenRequest`, and of those that stand in for it: the token fetcher that a request with
 * it works for. Other signals do not get it, since adding a member to one takes a microsecond.
 */
export const ON_BEHALF_OF: unique symbol = Symbol.for('rx-fresh-token/on-behalf-of');

type Marked = { [ON_BEHALF_OF]?: object } | null | undefined;

/** Not by `Object.assign`, which takes as long as making the signal. */
export function markSignal(signal: AbortSignal, fetcher: object): AbortSignal {
  (signal as NonNullable<Marked>)[ON_BEHALF_OF] = fetcher;
  return signal;
}

/** The token fetcher that a request with this signal works for, if there is one. */
export const fetcherBehind = (signal: AbortSignal | null | undefined): object | undefined =>
  (signal as Marked)?.[ON_BEHALF_OF];

/** Marks the signal that replaces the caller's, if that has a mark. */
export function onBehalfOf(caller: AbortSignal | null | undefined, replacing: AbortSignal): AbortSignal {
  const fetcher = fetcherBehind(caller);
  return fetcher ? markSignal(replacing, fetcher) : replacing;
}
