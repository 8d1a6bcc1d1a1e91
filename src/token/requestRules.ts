/** What `withToken` judges results by: the options of a request, checked. */
import { callPredicate } from '../internal/values/callPredicate.js';
import { discard } from '../internal/platform/discard.js';
import { numbersIn, requireFunctions } from '../internal/values/validate.js';
import { isRejection as isRejectionByDefault, responseIn } from '../answers/isRejection.js';

export interface WithTokenOptions {
  /**
   * Gets what `send` emitted or threw, and returns true if a server rejected the token. After the first value, only
   * responses are checked. A promise is a TypeError. Default: status 401 or 403, unless the answer says
   * `insufficient_scope`, or is a 403 that limits the rate of requests; of emitted values, only those that look like a
   * Response or have one as `response`.
   */
  isRejection?: ((result: unknown) => boolean) | undefined;
  /**
   * Names the resource, e.g. `GET /orders`. If it rejects new tokens too, this is remembered, and it causes no more
   * refreshes. Default none: nothing is remembered.
   */
  key?: string | undefined;
  /** Waits at most this many ms for a usable token. >= 0. Default: the stream's `maxWait`. */
  maxWait?: number | undefined;
}

export interface RequestRules {
  readonly key: string | undefined;
  readonly maxWait: number | undefined;
  readonly isRejectedError: (thrown: unknown) => boolean;
  readonly isRejectedValue: (value: unknown, isFirst: boolean) => boolean;
  /** Whether a request that was rejected with this result may be sent again. Its token is replaced in any case. */
  readonly isRepeatable: (result: unknown) => boolean;
}

export function rulesOf(options: WithTokenOptions, isRepeatable: RequestRules['isRepeatable']): RequestRules {
  const { key, isRejection, ...numbers } = options;
  const { maxWait } = numbersIn(options, { maxWait: [0, Infinity] }, '', numbers);
  requireFunctions({ isRejection });
  const isRejectedError = (result: unknown) =>
    isRejection ? callPredicate(isRejection, result, 'isRejection') : isRejectionByDefault(result);
  const isRejectedValue = (value: unknown, isFirst: boolean) => {
    const isResponse = !!responseIn(value);
    try {
      return (isResponse || (isFirst && isRejection !== undefined)) && isRejectedError(value);
    } catch (error) {
      discard(responseIn(value));
      throw error;
    }
  };
  return { key, maxWait, isRejectedError, isRejectedValue, isRepeatable };
}
