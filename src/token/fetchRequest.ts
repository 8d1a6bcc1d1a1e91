/** What a source is given for one fetch. */
import type { TokenRequest } from './types.js';

export type RequestedToken = Pick<TokenRequest, 'reason' | 'attempt' | 'previous'>;

export type Report = (failure: unknown) => void;

/** The signal is made when it is read: that takes longer than anything else of a renewal. */
export class FetchRequest implements TokenRequest {
  /** Of the request itself, as a spread copies it. V8 takes long for an object that has a getter of its own. */
  static readonly #signal = {
    enumerable: true,
    get(this: FetchRequest) {
      return this.#signalOf();
    },
  };

  declare readonly reason: TokenRequest['reason'];
  declare readonly attempt: number;
  declare readonly previous: TokenRequest['previous'];
  declare readonly signal: AbortSignal;
  readonly #signalOf: () => AbortSignal;
  readonly #report: Report;

  constructor(about: RequestedToken, signalOf: () => AbortSignal, report: Report) {
    Object.assign(this, about);
    Object.defineProperty(this, 'signal', FetchRequest.#signal);
    this.#signalOf = signalOf;
    this.#report = report;
  }

  /** Not enumerable: a log of the request does not print it. */
  get report(): Report {
    return this.#report;
  }
}
