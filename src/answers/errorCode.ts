/** Reads the error code of answers, errors and bodies. */
import { fieldsOf } from '../internal/fieldsOf.js';
import { bodiesOf, textOfBody } from './members.js';
import { isCode, isPermanentCode, isTemporaryCode } from './oauthErrors.js';
import { parseBody, parseJson } from './parseBody.js';
import { failedStatusIn } from './status.js';

/**
 * The error code (RFC 6749 section 5.2) of a parsed body, of an error, or of the body of the response that it carries.
 */
export function errorCodeOf(answer: unknown): string | undefined {
  for (const carrier of [answer, ...bodiesOf(answer)]) {
    if (carrier === undefined) continue;
    const text = textOfBody(carrier);
    const parsed = text === undefined ? carrier : parseBody(text);
    const body = fieldsOf(parsed);
    const { error, errorCode, error_code, oauth2Code, code, status, errors, graphQLErrors } = body;
    const { __type, error_description } = body;
    // Salesforce's body is a list.
    const lists = [errors, graphQLErrors, fieldsOf(error).errors, Array.isArray(parsed) ? parsed.map(fieldsOf) : []];
    const members = [errorCode, error_code, oauth2Code, code, status, lists, __type].flat(2);
    const found = codeIn(error) ?? oauthCodeIn(members);
    // ServiceNow says `server_error`, and the code that it means in the description.
    const isRefusalInDescription = found !== undefined && isTemporaryCode(found) && isPermanentCode(error_description);
    if (found !== undefined) return isRefusalInDescription ? (error_description as string) : found;
  }
  // The name of the error's class says less than what the server said.
  return oauthCodeIn([fieldsOf(answer).name]);
}

/** Whether a body reports an error, whatever the status beside it. Some envelopes always have an empty list. */
export function saysError(body: unknown): boolean {
  const { error, errors } = fieldsOf(body);
  const hasErrors = [error, errors].some((each) =>
    typeof each === 'object' ? Object.keys(fieldsOf(each)).length > 0 : Boolean(each),
  );
  return hasErrors || errorCodeOf(body) !== undefined || failedStatusIn(body) !== undefined;
}

/**
 * The first code of OAuth among codes and errors. Other codes of these members are the client's own, such as
 * `network_error`, or gRPC's `cancelled`.
 */
function oauthCodeIn(members: readonly unknown[]): string | undefined {
  return members
    .filter((member) => member !== undefined)
    .flatMap((member) => {
      const { error, errorCode, code, extensions, reason } = fieldsOf(member);
      return [member, error, errorCode, code, fieldsOf(extensions).code, reason];
    })
    .filter((each): each is string => typeof each === 'string' && each !== 'cancelled')
    .find((each) => isPermanentCode(each) || isTemporaryCode(each));
}

/**
 * The code in the member `error`: the code itself, the body that Angular keeps there, `{ code: 'invalid_client' }`,
 * Google's `{ status }`, OpenAI's `{ type }`, Firebase's `{ message: 'QUOTA_EXCEEDED : …' }`, or Meta's
 * `{ is_transient: true }`.
 */
function codeIn(member: unknown): string | undefined {
  if (typeof member === 'string')
    return (member.startsWith('{') ? codeIn(parseJson(member)) : undefined) ?? (member || undefined);
  const { error, code, status, type, message, is_transient } = fieldsOf(member);
  if (is_transient === true) return 'temporarily_unavailable';
  return [error, code, status, type, /^[A-Z_]+/.exec(message as string)?.[0]].find(
    (each): each is string => typeof each === 'string' && isCode(each),
  );
}
