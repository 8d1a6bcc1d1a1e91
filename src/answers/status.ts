/** Reads the HTTP status of answers, errors and bodies. */
import { fieldsOf, type Fields } from '../internal/values/fieldsOf.js';
import { findIn, responseOf } from './members.js';

const isNumber = (value: unknown): value is number => typeof value === 'number';

const NAMES = ['status', 'statusCode', 'httpStatusCode', 'responseStatusCode', 'status_code'];

const statusIn = (fields: Fields) => NAMES.map((name) => fields[name]).find(isNumber);

/** What gRPC has in the place of 401. */
const UNAUTHENTICATED = 16;

/**
 * The HTTP status of an answer, or of the response that an error carries. A `code` from 400 to 599 counts as one (not
 * MongoDB's, which have a `codeName`): after a failed response beside it, and before a successful one.
 */
export function statusOf(answer: unknown): number | undefined {
  const own = fieldsOf(answer);
  const status = statusIn(own);
  if (status !== undefined) return status;
  const carried = [responseOf(answer), fieldsOf(own.$metadata)];
  // A call of a batch of tRPC, whose error has a `shape`, has its own status in `data`; that of the response is 207.
  const ofCall = 'shape' in own ? fieldsOf(own.data).httpStatus : undefined;
  const statuses = [...carried.map(statusIn), ofCall].filter(isNumber);
  const failedStatus = statuses.find((each) => each >= 400);
  if (failedStatus !== undefined) return failedStatus;
  if (own.code === UNAUTHENTICATED && ('metadata' in own || ('details' in own && 'path' in own))) return 401;
  const isFailure = ({ code, codeName }: Fields) => isNumber(code) && code >= 400 && code <= 599 && !codeName;
  return ([own, ...carried].find(isFailure)?.code as number | undefined) ?? statuses[0];
}

/**
 * After these statuses of a 4xx the same request may succeed. A token endpoint says 409 while another request uses the
 * refresh token (Supabase, Fitbit), 410 while it is updated (Azure's metadata service), 412 while it lags behind (a
 * standby of Vault).
 */
export const isTemporaryStatus = (status = 0): boolean => [408, 409, 410, 412, 421, 425, 429].includes(status);

/**
 * The failed status that a body repeats, or has in one of its errors, also as a text (JSON:API), or in the `extensions`
 * of a GraphQL gateway. Of other numbers, such as Withings' 2554, none.
 */
export const failedStatusIn = (body: unknown): number | undefined =>
  findIn(body, (given) => {
    const isStatus = (isNumber(given) || typeof given === 'string') && /^[45]\d\d\b/.test(String(given));
    return isStatus ? parseInt(String(given), 10) : undefined;
  });
