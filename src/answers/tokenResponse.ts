/** Checks and reads what a token endpoint answered. */
import { firstValueFrom, map, merge, type Observable } from 'rxjs';
import { InvalidTokenResponseError, TokenEndpointError } from '../errors.js';
import { errorCodeOf, saysError } from './errorCode.js';
import { failedStatusIn } from './status.js';
import { fieldsOf } from '../internal/values/fieldsOf.js';
import { isHtml } from './anotherTry.js';
import { isText, kindOf, tagOf } from '../internal/values/kindOf.js';
import { isPrintable } from './oauthErrors.js';
import { parseBody } from './parseBody.js';
import { asksToWaitBy } from './retryAfter.js';
import { isEmptyToken, missingTokenError, misplacedTokenIn } from './missingToken.js';
import { markPermanent, permanentError } from './permanentError.js';
import type { TokenResponse } from '../token/types.js';

/** Whether a text goes into a header without breaking it: visible ASCII, and no space. */
export const fitsHeader = (text: string): boolean => /^[\x21-\x7e]+$/.test(text);

/** Members of HTTP responses, Observables, promises, bytes and our tokens: no token response has them. */
const FOREIGN_MEMBERS = ['headers', 'response', 'subscribe', 'then', 'byteLength', 'arrayBuffer', 'raw'];

const REMEDY = 'return { access_token, expires_in }';

/** The tag of an error. */
const ERROR = /Error|DOMException/;

/** The statuses of an error without an answer: an XMLHttpRequest's, and RTK Query's. */
const NO_ANSWER: readonly unknown[] = [0, 'FETCH_ERROR', 'PARSING_ERROR'];

/** Throws an error that says what is wrong with a response, without quoting it. */
export function checkTokenResponse(response: unknown): asserts response is TokenResponse {
  if (typeof response !== 'object' || response === null || Array.isArray(response))
    throw permanentError(`the token response is ${kindOf(response)}, not { access_token, expires_in }`);
  const fields = response as Partial<TokenResponse>;
  const value = fields.access_token;
  if (isText(value)) {
    if (fitsHeader(value)) return;
    const fault = 'the token response has an access_token that no header can carry:';
    throw /^\s*bearer\s/i.test(value)
      ? permanentError(`${fault} leave "Bearer " out`)
      : new InvalidTokenResponseError(`${fault} is there a line break in it?`);
  }
  // Clients that do not throw give `{ data, error }`.
  const { error: given } = fieldsOf(response);
  const thrown = [response, given, fieldsOf(response).errors]
    .flat()
    .find((each): each is Error => ERROR.test(tagOf(each)));
  if (thrown) throw thrown;
  if (NO_ANSWER.includes(fieldsOf(given).status)) throw new TokenEndpointError('the token endpoint did not answer');
  const has = 'the token response has';
  const member = FOREIGN_MEMBERS.find((name) => name in response);
  if (member !== undefined)
    throw permanentError(
      `${has} no access_token (${kindOf(value)}), but ${member}: return the parsed body, { access_token, expires_in }`,
    );
  // RFC 6749 section 5.2 asks for the status 400, but some servers answer 200; others repeat the status in the body.
  if (!saysError(response)) throw missingTokenError(response, has, REMEDY);
  const error = endpointError(response, failedStatusIn(response));
  // What has neither a status nor a code would be retried for ever.
  const isJudged = error.status !== undefined || error.error !== undefined || isEmptyToken(response);
  throw isJudged ? error : markPermanent(error);
}

/**
 * An object of a class may have its fields as getters, which are not among its entries. Not by a spread: V8 gives each
 * such copy that is frozen a shape of its own, of 150 bytes.
 */
export function copyOfTokenResponse(response: TokenResponse): TokenResponse {
  const copy = Object.fromEntries(Object.entries(response)) as TokenResponse;
  for (const name of ['access_token', 'token_type', 'expires_in', 'scope'] as const)
    if (copy[name] === undefined && response[name] !== undefined) copy[name] = response[name] as never;
  return copy;
}

export const noTokenError = () => new InvalidTokenResponseError('the token source completed without a token');

/** The part of a fetch Response that is read, whichever implementation made it. */
export type FetchResponse = Pick<Response, 'status' | 'headers' | 'text'> &
  Partial<Pick<Response, 'bodyUsed' | 'redirected'>>;

/** A Response of fetch, of whatever platform or ponyfill. */
export function isFetchResponse(value: unknown): value is FetchResponse {
  const response = (value ?? {}) as Partial<FetchResponse>;
  // First what no error has: a getter of one may throw.
  return typeof response.text === 'function' && typeof response.status === 'number' && !!response.headers?.get;
}

/**
 * Reads the body of a fetch Response.
 *
 * @param late$ emits when a body that does not come is no longer waited for, since the status says that it failed
 * @throws TokenEndpointError for another status than 2xx
 */
export async function readFetchResponse(response: FetchResponse, late$: Observable<unknown>): Promise<TokenResponse> {
  const { status, headers } = response;
  const isOk = status >= 200 && status <= 299;
  if (isOk && response.bodyUsed) throw permanentError('the token source returned a Response whose body has been read');
  // A failed status counts, whether its body can be read or not.
  const text = await (isOk ? response.text() : textOfFailure(response, late$));
  const body = parseBody(text);
  const isSignInPage = isOk && response.redirected && body === undefined && isHtml(response);
  // In a browser the status of a redirect that is not followed is 0, and so is any of the mode `no-cors`. A 304 comes
  // from a cache: another attempt may get an answer.
  const isRedirect = status < 400 && !isOk && status !== 304;
  if (isSignInPage || isRedirect)
    throw permanentError(
      `the token endpoint redirected, perhaps to its sign-in page${status ? '' : ', or the mode is "no-cors"'}`,
    );
  // A success that asks for a later try and has no token is none. That no requests are left is said of the next one.
  if (!isOk || (asksToWaitBy((name) => headers.get(name)) && !isText(fieldsOf(body).access_token)))
    throw Object.defineProperty(endpointError(body, status, isOk ? misplacedTokenIn(body, REMEDY) : ''), 'headers', {
      get: () => headers,
    });
  if (body === undefined) throw notJsonError(text, status, `the token endpoint answered ${String(status)} with`);
  return body as TokenResponse;
}

/** A JWT: signed or encrypted (RFC 7515 and 7516 section 3.1). */
const TOKEN_TEXT = /^\s*ey[\w-]+(\.[\w-]*){2,4}\s*$/;

/**
 * The error of a success whose body is not JSON. It may be lost on the way, or the text of a gateway, also one word such
 * as `504-gateway-timeout`. What the server sends each time is a 204, which has no body, and a token alone.
 *
 * @param answered begins the message
 */
export function notJsonError(text: string, status: number, answered: string): InvalidTokenResponseError {
  const body = text.trim() === '' ? 'an empty body' : 'a body that is not JSON';
  const hint = ', perhaps the token itself: make { access_token, expires_in } of it';
  if (TOKEN_TEXT.test(text)) return permanentError(`${answered} ${body}${hint}`);
  const error = new InvalidTokenResponseError(`${answered} ${body}`);
  return status === 204 ? markPermanent(error) : error;
}

const textOfFailure = (response: FetchResponse, late$: Observable<unknown>): Promise<string> =>
  firstValueFrom(merge(response.text(), late$.pipe(map(() => '')))).catch(() => '');

/** What a token endpoint says when it refuses (RFC 6749 section 5.2). */
function endpointError(body: unknown, status: number | undefined, hint = ''): TokenEndpointError {
  const { error_description } = fieldsOf(body);
  const given = errorCodeOf(body);
  const code =
    given === undefined && status !== undefined
      ? ''
      : given !== undefined && isPrintable(given)
        ? ` with the error ${given}`
        : ' with an error';
  return new TokenEndpointError(
    `the token endpoint answered${status === undefined ? '' : ` ${String(status)}`}${code}${hint}`,
    { status, error: given, error_description: isText(error_description) ? error_description : undefined },
  );
}
