/** The public function `plainError`: makes errors comparable in tests. */
import { fieldsOf } from '../internal/values/fieldsOf.js';
import { tagOf } from '../internal/values/kindOf.js';

/** The fields of an error that say what happened; see {@link plainError}. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly code?: unknown;
  readonly status?: unknown;
  /** The OAuth error code (RFC 6749 section 5.2). */
  readonly error?: unknown;
  readonly error_description?: unknown;
  readonly retryAfter?: unknown;
  /** Plain, too, if it is an error. */
  readonly cause?: unknown;
  /** The errors of an AggregateError, plain. */
  readonly errors?: readonly unknown[];
}

const SAID = ['code', 'status', 'error', 'error_description', 'retryAfter'] as const;

/**
 * An error as a plain object, so that a test compares all its fields. Test frameworks compare two errors by name and
 * message only. Fields that the error does not have are left out.
 *
 * ```ts
 * const result$ = withToken(token$, send).pipe(catchError((error: unknown) => throwError(() => plainError(error))));
 * m.expect(result$).toBeObservable('200ms #', undefined, { name: 'Error', message: 'refused', status: 401 });
 * ```
 *
 * @param error what is not an error (a string, a plain object) is returned as it is, and a cause that was met before as
 *   `'(circular)'`
 */
export function plainError(error: Error): PlainError;
export function plainError(error: unknown): unknown;
export function plainError(error: unknown): unknown {
  return plain(error, []);
}

function plain(error: unknown, met: readonly unknown[]): unknown {
  if (!isError(error)) return error;
  if (met.includes(error)) return '(circular)';
  const inner = (value: unknown) => plain(value, [...met, error]);
  const fields = fieldsOf(error);
  const { name, message, cause, errors } = fields;
  const said = SAID.filter((field) => fields[field] !== undefined).map((field) => [field, fields[field]] as const);
  return {
    name,
    message,
    ...Object.fromEntries(said),
    ...(cause !== undefined && { cause: inner(cause) }),
    ...(Array.isArray(errors) && { errors: errors.map(inner) }),
  };
}

/**
 * By its fields and its tag: tests run in sandboxes, each with an Error of its own, and a plain object may be a person
 * with a message.
 */
export const isError = (value: unknown): value is Error => {
  const { name, message } = fieldsOf(value);
  return typeof name === 'string' && typeof message === 'string' && tagOf(value) !== '[object Object]';
};
