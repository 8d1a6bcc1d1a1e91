/** Checks and reads what a token endpoint answered. */
import { firstValueFrom, map, merge, type Observable } from 'rxjs';
import { InvalidTokenResponseError, TokenEndpointError } from '../errors.js';
import { errorCodeOf, fieldsOf, isHtml, parseBody, statusOf } from '../internal/answers.js';
import { isText, kindOf } from '../internal/kindOf.js';
import { isPrintable } from '../internal/oauthErrors.js';
import { permanentError } from './permanentError.js';
import type { TokenResponse } from './types.js';

/** Whether a text goes into a header without breaking it: visible ASCII, and no space. */
export const fitsHeader = (text: string): boolean => /^[\x21-\x7e]+$/.test(text);

/** Members of HTTP responses, Observables, promises, bytes, MSAL's results and our tokens: no token response has them. */
const FOREIGN_MEMBERS = ['headers', 'response', 'subscribe', 'then', 'byteLength', 'arrayBuffer', 'accessToken', 'raw'];

/** What APIs call a token for requests. Not `refresh_token`, `session_token`, `csrf_token` and the like. */
const TOKEN_NAME = /^((tenant_)?access|auth|bearer|client|id)?_?token$|^jwt$/i;

/** Members in which logins return it. */
const CONTAINERS = ['data', 'result', 'body', 'auth', 'tokens', 'AuthenticationResult'];

const tokenNameIn = (value: unknown): string | undefined =>
  Object.entries(fieldsOf(value)).find(([name, member]) => TOKEN_NAME.test(name) && isText(member))?.[0];

/** Where a response has its token: under another name, or in a member. */
function placeOfToken(response: Partial<TokenResponse>): string | undefined {
  // A class may have these as getters.
  const own = ['token', 'jwt'].find((name) => isText(response[name])) ?? tokenNameIn(response);
  if (own) return own;
  // Django's pair.
  if (isText(response.access) && isText(response.refresh)) return 'access';
  const container = CONTAINERS.find((name) => tokenNameIn(response[name]));
  return container && `${container}.${String(tokenNameIn(response[container]))}`;
}

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
  const missing = `the token response has no access_token (${kindOf(value)})`;
  const member = FOREIGN_MEMBERS.find((name) => name in response);
  if (member !== undefined || isText(fieldsOf(fields.data).access_token))
    throw permanentError(`${missing}, but ${member ?? 'data'}: return the parsed body, { access_token, expires_in }`);
  // RFC 6749 section 5.2 asks for the status 400, but some servers answer 200; others repeat the status in the body.
  const status = statusOf(response);
  const isError = Boolean(fields.error) || Boolean(fields.errors) || errorCodeOf(response) !== undefined;
  if (isError || (status !== undefined && status >= 400))
    throw endpointError(response, status ?? statusOf(fields.error));
  // Many logins and clients return the token so. A server that has no token yet answers with an error, a status, or a
  // null. Mocks of fetch often have the function `json` alone.
  const place = 'access_token' in response ? undefined : placeOfToken(fields);
  const name = typeof fields.json === 'function' ? 'json' : place;
  if (name) throw permanentError(`${missing}, but ${name}: return { access_token, expires_in }`);
  throw new InvalidTokenResponseError(missing);
}

/** An object of a class may have its fields as getters, which a spread does not find. */
export function copyOf(response: TokenResponse): TokenResponse {
  const copy = { ...response };
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
  // In a browser the status of a redirect that is not followed is 0, and so is any of the mode `no-cors`.
  if (isOk ? response.redirected && body === undefined && isHtml(response) : status < 400 && status !== 304)
    throw permanentError(
      `the token endpoint redirected, perhaps to its sign-in page${status ? '' : ', or the mode is "no-cors"'}`,
    );
  if (!isOk) throw Object.defineProperty(endpointError(body, status), 'headers', { value: headers });
  if (text.trim() === '') throw emptyBody(status, `the token endpoint answered ${String(status)} with an empty body`);
  if (body === undefined)
    throw new InvalidTokenResponseError(`the token endpoint answered ${String(status)} with a body that is not JSON`);
  return body as TokenResponse;
}

/** A 204 has no body, however often it is asked for. With a 200 it was lost on the way, at a gateway say. */
export const emptyBody = (status: number, message: string): InvalidTokenResponseError =>
  status === 204 ? permanentError(message) : new InvalidTokenResponseError(message);

const textOfFailure = (response: FetchResponse, late$: Observable<unknown>): Promise<string> =>
  firstValueFrom(merge(response.text(), late$.pipe(map(() => '')))).catch(() => '');

/** What a token endpoint says when it refuses (RFC 6749 section 5.2). */
function endpointError(body: unknown, status: number | undefined): TokenEndpointError {
  const { error_description } = fieldsOf(body);
  const given = errorCodeOf(body);
  const code =
    given === undefined && status !== undefined
      ? ''
      : given !== undefined && isPrintable(given)
        ? ` with the error ${given}`
        : ' with an error';
  return new TokenEndpointError(
    `the token endpoint answered${status === undefined ? '' : ` ${String(status)}`}${code}`,
    {
      ...(status !== undefined && { status }),
      ...(given !== undefined && { error: given }),
      ...(typeof error_description === 'string' && { error_description }),
    },
  );
}
