/** What a source is given for one fetch. */
import type { TokenRequest } from './types.js';

export type RequestedToken = Pick<TokenRequest, 'reason' | 'attempt' | 'previous'>;

export type Report = (failure: unknown) => void;

/**
 * The signal is made when it is first read: making one takes longer than the rest of a renewal. A getter, so that a
 * spread, a Proxy and an object that inherits from this one get it, too.
 */
export const fetchRequest = (about: RequestedToken, signalOf: () => AbortSignal, report: Report): TokenRequest =>
  Object.defineProperties({ ...about } as TokenRequest, {
    signal: { enumerable: true, configurable: true, get: signalOf },
    // Not enumerable: a log of the request does not print it.
    report: { value: report },
  });
