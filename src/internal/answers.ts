/** Reads status, headers and codes of answers and errors, whichever client made them. */
// Response, HttpErrorResponse, AjaxError, axios', got's, ky's, superagent's, wreck's, MSAL's, Okta's, AWS', Apollo's,
// tRPC's, gRPC's, Box', Kiota's and our own.
import { tagOf } from './kindOf.js';
import { isCode, isPermanentCode, isTemporaryCode } from './oauthErrors.js';
import { parseBody, parseJson } from './parseBody.js';
import { limitsRateBy } from './retryAfter.js';

type Fields = Readonly<Record<string, unknown>>;

/** The fields of whatever it is; none, if it is no object. */
export const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};

/** How many causes of an error are looked at. */
export const LONGEST_CHAIN = 5;

/** The response that an error carries. Wreck, and so simple-oauth2, has it in `data`, tRPC in `meta`, Okta in `xhr`. */
const responseOf = (answer: unknown) => {
  const { response, responseInfo, data, networkError, meta, $response, xhr } = fieldsOf(answer);
  const inMember = response ?? responseInfo ?? fieldsOf(data).res ?? fieldsOf(networkError ?? meta).response;
  return fieldsOf(inMember ?? $response ?? xhr);
};

const isNumber = (value: unknown): value is number => typeof value === 'number';

const statusIn = ({ status, statusCode, httpStatus, httpStatusCode, responseStatusCode, status_code }: Fields) =>
  [status, statusCode, httpStatus, httpStatusCode, responseStatusCode, status_code].find(isNumber);

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
  const statuses = [...carried, { httpStatus: ofCall }].map(statusIn).filter(isNumber);
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

const STATUS_NAMES = ['status', 'statusCode', 'status_code', 'code', 'errorCode', 'error_code'];

/**
 * The failed status that a body repeats, or has in one of its errors, also as a text (JSON:API), or in the `extensions`
 * of a GraphQL gateway. Of other numbers, such as Withings' 2554, none.
 */
export function failedStatusIn(body: unknown): number | undefined {
  const { error, errors } = fieldsOf(body);
  const found = [body, error, errors]
    .flat()
    .flatMap((each) => {
      const { extensions } = fieldsOf(each);
      return [each, extensions, fieldsOf(extensions).http, fieldsOf(extensions).response];
    })
    .flatMap((each) => [each, ...STATUS_NAMES.map((name) => fieldsOf(each)[name])])
    .find(
      (each): each is number | string =>
        (isNumber(each) || typeof each === 'string') && /^[45]\d\d\b/.test(String(each)),
    );
  return found === undefined ? undefined : parseInt(String(found), 10);
}

/** Whether a body reports an error, whatever the status beside it. Some envelopes always have an empty list. */
export function saysError(body: unknown): boolean {
  const { error, errors } = fieldsOf(body);
  const hasErrors = [error, errors].some((each) =>
    typeof each === 'object' ? Object.keys(fieldsOf(each)).length > 0 : Boolean(each),
  );
  return hasErrors || errorCodeOf(body) !== undefined || failedStatusIn(body) !== undefined;
}

/** No token endpoint sends more: of a larger body no more is read. */
const LONGEST_BODY = 2 ** 16;

/** Wherever a client may keep the body of an answer: parsed, as text or as bytes. */
function bodiesOf(answer: unknown): unknown[] {
  const { response, data, body, error, params, status } = fieldsOf(answer);
  const { data: sent, body: received, text } = responseOf(answer);
  // What angular-oauth2-oidc read of the URL. Elsewhere they are those of the request.
  const told = isNumber(status) ? {} : { error: fieldsOf(params).error };
  return [data, fieldsOf(data).payload, body, response, sent, received, text, error, told];
}

/** A body that a client has left as text or as bytes. */
function textOfBody(body: unknown): string | undefined {
  if (typeof body === 'string') return body.slice(0, LONGEST_BODY);
  const isBuffer = tagOf(body) === '[object ArrayBuffer]';
  if (!isBuffer && !ArrayBuffer.isView(body)) return undefined;
  const bytes = body as ArrayBuffer | ArrayBufferView;
  return bytes.byteLength > LONGEST_BODY ? '' : new TextDecoder().decode(bytes);
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

/** A header, given in lower case, of an answer or of the response that an error carries. */
export function headerOf(answer: unknown, name: string): string | undefined {
  const { headers, responseHeaders, xhr } = fieldsOf(answer);
  for (const carrier of [headers, responseHeaders, responseOf(answer).headers]) {
    const value: unknown =
      typeof fieldsOf(carrier).get === 'function'
        ? (carrier as Headers).get(name)
        : Object.entries(fieldsOf(carrier)).find(([key]) => key.toLowerCase() === name)?.[1];
    if (typeof value === 'string') return value;
    // Node's clients give a header that came twice as an array, and mocks give numbers.
    if (Array.isArray(value) || typeof value === 'number') return String(value);
  }
  return (xhr as Partial<XMLHttpRequest> | undefined)?.getResponseHeader?.(name) ?? undefined;
}

/** `Retry-After` (RFC 9110 section 10.2.3), or a rate limit that is used up, under the names that servers use. */
export const limitsRate = (answer: unknown): boolean => limitsRateBy((name) => headerOf(answer, name));

const PAGE = /^\s*(<!--[^]*?-->\s*)?<(!doctype html|html|head|body|h1)\b/i;

/** A page for people. A firewall or a proxy sends one in the place of the server. */
export function isHtml(answer: unknown): boolean {
  const type = headerOf(answer, 'content-type');
  if (type !== undefined) return /html\b/i.test(type);
  return bodiesOf(answer).some((body) => PAGE.test(textOfBody(body) ?? ''));
}

/** Asks for another try, whatever its status says: a limit of the rate, or the page of a firewall. */
export const asksForAnotherTry = (answer: unknown): boolean =>
  limitsRate(answer) || (statusOf(answer) === 403 && isHtml(answer));
