/** Turns a failed fetch into data that other processes can read, and back into an error. */
import { InvalidTokenResponseError, TokenEndpointError, TokenFetchTimeoutError } from '../../errors.js';
import { errorCodeOf } from '../../answers/errorCode.js';
import { fieldsOf } from '../../internal/values/fieldsOf.js';
import { statusOf } from '../../answers/status.js';
import { isPrintable } from '../../answers/oauthErrors.js';
import { messageOf } from '../../answers/messageOf.js';
import { markPermanent } from '../../answers/permanentError.js';
import { failureWithReason, isPermanentFailure } from '../../answers/isPermanentFailure.js';

/** What processes share of a failed fetch: class and message, and what it is judged by. No response, no cause. */
interface SharedFailure {
  readonly name: string;
  readonly message: string;
  readonly status?: number;
  readonly error?: string;
  /** Another attempt may help, whatever the status says: a rate limit, or a page of a firewall. Not said by 0.1.0. */
  readonly temporary?: boolean;
}

export function sharedFailureOf(thrown: unknown): SharedFailure {
  const telling = failureWithReason(thrown);
  const [status, error] = [statusOf(telling), errorCodeOf(telling)];
  // The error may come from any code, with a name of any type.
  const name: unknown = thrown instanceof Error ? thrown.name : undefined;
  return {
    name: typeof name === 'string' ? name.slice(0, 100) : 'Error',
    message: messageOf(thrown),
    ...(status !== undefined && { status }),
    ...(error !== undefined && isPrintable(error) && { error }),
    temporary: !isPermanentFailure(thrown),
  };
}

/**
 * The token endpoint refused the credentials of one process: others may have better ones, while a secret is rotated.
 */
const OF_ONE_PROCESS = ['invalid_client', 'unauthorized_client', 'incorrect_client_credentials'];

export function isOfOneProcess(shared: unknown): boolean {
  const { error, temporary } = fieldsOf(shared);
  return !temporary && OF_ONE_PROCESS.includes(String(error));
}

/** The failure as an error again, with the time that the fleet pauses: a stream's own pause is no shorter. */
export function errorOf(shared: unknown, retryAfter: number): Error {
  const { message, temporary, ...rest } = fieldsOf(shared) as Partial<SharedFailure>;
  const text = `${message ?? 'the token source failed'} (of the last fetch, shared through Redis)`;
  const failure = Object.assign(withClass(rest, text), { retryAfter });
  if (temporary === undefined || isPermanentFailure(failure) !== temporary) return failure;
  // A redirect, for example, or a mistake of the source's, which neither a status nor a code tells.
  return temporary ? Object.defineProperty(failure, '$retryable', { value: true }) : markPermanent(failure);
}

function withClass({ name = 'Error', status, error }: Partial<SharedFailure>, text: string): Error {
  if (name === 'TokenFetchTimeoutError') return new TokenFetchTimeoutError(text);
  if (name === 'InvalidTokenResponseError') return new InvalidTokenResponseError(text);
  if (name === 'TokenEndpointError' || status !== undefined || error !== undefined)
    return new TokenEndpointError(text, { status, error });
  return Object.defineProperty(new Error(text), 'name', { value: name, configurable: true });
}
