/** Where the clients keep the response, the body and the headers of an answer or an error. */
// Response, HttpErrorResponse, AjaxError, axios', got's, ky's, superagent's, wreck's, MSAL's, Okta's, AWS', Apollo's,
// tRPC's, gRPC's, Box', Kiota's and our own.
import { fieldsOf } from '../internal/values/fieldsOf.js';
import { tagOf } from '../internal/values/kindOf.js';

/** So many are looked at: an error and its causes. */
export const LONGEST_CHAIN = 5;

/** The response that an error carries. Wreck, and so simple-oauth2, has it in `data`, tRPC in `meta`, Okta in `xhr`. */
export const responseOf = (answer: unknown) => {
  const { response, responseInfo, data, networkError, meta, $response, xhr } = fieldsOf(answer);
  const inMember = response ?? responseInfo ?? fieldsOf(data).res ?? fieldsOf(networkError ?? meta).response;
  return fieldsOf(inMember ?? $response ?? xhr);
};

/** No token endpoint sends more: of a larger body no more is read. */
const LONGEST_BODY = 2 ** 16;

/** Wherever a client may keep the body of an answer: parsed, as text or as bytes. */
export function bodiesOf(answer: unknown): unknown[] {
  const { response, data, body, error, params, status } = fieldsOf(answer);
  const { data: responseData, body: responseBody, text } = responseOf(answer);
  // angular-oauth2-oidc keeps in `params` what the redirect's URL said. Of an error with a status, the request's.
  const ofRedirect = typeof status === 'number' ? {} : { error: fieldsOf(params).error };
  return [data, fieldsOf(data).payload, body, response, responseData, responseBody, text, error, ofRedirect];
}

/** A body that a client has left as text or as bytes. */
export function textOfBody(body: unknown): string | undefined {
  if (typeof body === 'string') return body.slice(0, LONGEST_BODY);
  const isBuffer = tagOf(body) === '[object ArrayBuffer]';
  if (!isBuffer && !ArrayBuffer.isView(body)) return undefined;
  const bytes = body as ArrayBuffer | ArrayBufferView;
  return bytes.byteLength > LONGEST_BODY ? '' : new TextDecoder().decode(bytes);
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

/** Where a body, or an error in it, has its status or code; and then, where it has further errors. */
const TELLING = [
  'status',
  'statusCode',
  'status_code',
  'code',
  'errorCode',
  'error_code',
  'oauth2Code',
  '__type',
  'type',
  'reason',
  'error',
  'errors',
  'graphQLErrors',
  'extensions',
  'http',
  'response',
];

/** The first that `read` makes of a value, or of what is below it, in these members and in lists. */
export function findIn<T>(value: unknown, read: (given: unknown) => T | undefined, depth = 5): T | undefined {
  const found = read(value);
  if (found !== undefined || typeof value !== 'object' || depth === 0) return found;
  const below: unknown[] = Array.isArray(value) ? value : TELLING.map((name) => fieldsOf(value)[name]);
  for (const each of below) {
    const foundBelow = findIn(each, read, depth - 1);
    if (foundBelow !== undefined) return foundBelow;
  }
  return undefined;
}
