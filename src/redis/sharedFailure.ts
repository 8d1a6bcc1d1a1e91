import { InvalidTokenResponseError, TokenEndpointError, TokenFetchTimeoutError } from '../errors.js';
import { fieldsOf } from '../internal/answers.js';

/** What processes share of a failed fetch: class and message, and what `isPermanent` needs. No response, no cause. */
export interface SharedFailure {
  readonly name: string;
  readonly message: string;
  readonly status?: number;
  readonly error?: string;
}

const MAX_LENGTH = 300;

export function failureOf(thrown: unknown): SharedFailure {
  const { status, error } = fieldsOf(thrown);
  // Anyone may have made the error, with members of any type.
  const { name, message }: { name: unknown; message: unknown } =
    thrown instanceof Error ? thrown : { name: undefined, message: undefined };
  return {
    name: typeof name === 'string' ? name.slice(0, 100) : 'Error',
    message: typeof message === 'string' ? message.slice(0, MAX_LENGTH) : 'the token source failed',
    ...(typeof status === 'number' && { status }),
    ...(typeof error === 'string' && { error: error.slice(0, 100) }),
  };
}

const KNOWN_CLASSES = { InvalidTokenResponseError, TokenFetchTimeoutError };

/** The failure as an error again, with the time that the fleet pauses: a stream's own pause is no shorter. */
export function errorOf(shared: unknown, retryAfter: number): Error {
  const {
    name = 'Error',
    message = 'the token source failed',
    status,
    error,
  } = (typeof shared === 'object' && shared !== null ? shared : {}) as Partial<SharedFailure>;
  const text = `${message} (in another process)`;
  if (name === 'TokenEndpointError' || status !== undefined || error !== undefined) {
    return new TokenEndpointError(text, {
      retryAfter,
      ...(typeof status === 'number' && { status }),
      ...(typeof error === 'string' && { error }),
    });
  }
  const Known = Object.entries(KNOWN_CLASSES).find(([known]) => known === name)?.[1];
  const failure = Known
    ? new Known(text)
    : Object.defineProperty(new Error(text), 'name', { value: name, configurable: true });
  return Object.assign(failure, { retryAfter });
}
