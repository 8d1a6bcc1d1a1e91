import { InvalidTokenResponseError, TokenEndpointError, TokenFetchTimeoutError } from '../errors.js';
import { fieldsOf } from '../internal/answers.js';

/** What processes tell each other of a failed fetch: its class and message, and what its judgement needs. Nothing that it holds. */
export interface SharedFailure {
  readonly name: string;
  readonly message: string;
  readonly status?: number;
  readonly error?: string;
}

const LONGEST = 300;

export function failureOf(thrown: unknown): SharedFailure {
  const { status, error } = fieldsOf(thrown);
  // Anyone may have made the error, with members of any type.
  const { name, message }: { name: unknown; message: unknown } =
    thrown instanceof Error ? thrown : { name: undefined, message: undefined };
  return {
    name: typeof name === 'string' ? name.slice(0, 100) : 'Error',
    message: typeof message === 'string' ? message.slice(0, LONGEST) : 'the token source failed',
    ...(typeof status === 'number' && { status }),
    ...(typeof error === 'string' && { error: error.slice(0, 100) }),
  };
}

const OWN = { InvalidTokenResponseError, TokenFetchTimeoutError };

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
    const said = new TokenEndpointError(text, {
      retryAfter,
      ...(typeof status === 'number' && { status }),
      ...(typeof error === 'string' && { error }),
    });
    return said;
  }
  const Known = Object.entries(OWN).find(([known]) => known === name)?.[1];
  const failure = Known
    ? new Known(text)
    : Object.defineProperty(new Error(text), 'name', { value: name, configurable: true });
  return Object.assign(failure, { retryAfter });
}
