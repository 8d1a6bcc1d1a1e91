import { InvalidTokenResponseError, TokenEndpointError, TokenFetchTimeoutError } from '../errors.js';
import { errorCodeOf, fieldsOf, statusOf } from '../internal/answers.js';
import { isPrintable } from '../internal/oauthErrors.js';
import { messageOf } from '../internal/messageOf.js';
import { markPermanent, permanentError } from '../token/permanentError.js';
import { isPermanentFailure, failureWithReason } from '../token/failure.js';

/** What processes share of a failed fetch: class and message, and what it is judged by. No response, no cause. */
interface SharedFailure {
  readonly name: string;
  readonly message: string;
  readonly status?: number;
  readonly error?: string;
  /** Another attempt may help, whatever the status says: a rate limit, or a page of a firewall. */
  readonly temporary?: true;
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
    ...(!isPermanentFailure(thrown) && { temporary: true }),
  };
}

const KNOWN_CLASSES = { InvalidTokenResponseError, TokenFetchTimeoutError };

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
  const { name = 'Error', message, status, error, temporary } = fieldsOf(shared) as Partial<SharedFailure>;
  const text = `${message ?? 'the token source failed'} (of the last fetch, shared through Redis)`;
  const isJudgedByAnswer = name === 'TokenEndpointError' || status !== undefined || error !== undefined;
  // Permanent for another reason: a mistake of the source's, or a redirect.
  if (message !== undefined && !temporary && !isJudgedByAnswer)
    return Object.assign(permanentError(text), { retryAfter });
  const Known = Object.entries(KNOWN_CLASSES).find(([known]) => known === name)?.[1];
  if (Known) return Object.assign(new Known(text), { retryAfter });
  if (!isJudgedByAnswer)
    return Object.assign(Object.defineProperty(new Error(text), 'name', { value: name, configurable: true }), {
      retryAfter,
    });
  const failure = new TokenEndpointError(text, {
    retryAfter,
    ...(typeof status === 'number' && { status }),
    ...(typeof error === 'string' && { error }),
  });
  // By this header the status is one that asks to come back.
  const headers = { 'retry-after': String(retryAfter / 1000) };
  if (temporary) return Object.defineProperty(failure, 'headers', { value: headers });
  // A redirect is permanent, which neither its status nor a code tells.
  return message === undefined || isPermanentFailure(failure) ? failure : markPermanent(failure);
}
