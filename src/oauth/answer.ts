import { InvalidTokenResponseError, TokenEndpointError } from '../errors.js';
import { errorCodeOf, parseBody } from '../internal/answers.js';
import { parseHttpDate, parseRetryAfter } from '../internal/retryAfter.js';
import type { TokenResponse } from '../token/types.js';
import type { Challenge } from './challenge.js';
import { isKnownCode } from './errorCodes.js';
import { fitsHeader, kindOf } from './requireOption.js';

/** What a token endpoint answered. */
export interface Answer {
  /** What the errors call it: see `answeredBy`. */
  readonly name: string;
  readonly status: number;
  readonly text: string;
  /** Milliseconds. */
  readonly retryAfter: number | undefined;
  /** Seconds by which the server's clock is ahead of ours. */
  readonly clockSkew: number | undefined;
  /** What its `WWW-Authenticate` says; counts when the body has no error of its own. */
  readonly challenge: Challenge | undefined;
}

/** No authorization server nests deeper; what does could overflow the stack of what prints or stores it. */
const DEEPEST = 32;

/**
 * Makes a token response of an answer (RFC 6749 section 5), or an error that says what is wrong without quoting it.
 * Lenient where servers are known to be sloppy: neither the media type nor `token_type` matters, and any 2xx will do.
 */
export function tokenResponseOf(answer: Answer): TokenResponse {
  const { name, status, text } = answer;
  const body = parseBody(text);
  const object = isObject(body) ? body : undefined;
  if (!(status >= 200 && status < 300) || (errorCodeOf(object) !== undefined && !isText(object?.access_token))) {
    throw refusal(answer, object);
  }
  const flaw = flawIn(text, body);
  if (flaw !== undefined) throw new InvalidTokenResponseError(`${name}, but ${flaw}`);
  return body as TokenResponse;
}

/** What keeps the body of a 2xx from being a token response. */
function flawIn(text: string, body: unknown): string | undefined {
  if (text.trim() === '') return 'an empty body';
  if (body === undefined) return 'its body is not JSON';
  if (!isObject(body)) return `its body must be an object, got ${kindOf(body)}`;
  if (isDeeperThan(DEEPEST, body)) return `its body is nested deeper than ${String(DEEPEST)} levels`;
  const { access_token, refresh_token } = body;
  // The stream checks it too, but here the error can say where it came from.
  if (!isText(access_token) || !fitsHeader(access_token)) return `its access_token ${flawOf(access_token)}`;
  if (typeof (refresh_token ?? '') !== 'string') return `its refresh_token ${flawOf(refresh_token)}`;
  return undefined;
}

/**
 * An error answer (RFC 6749 section 5.2): of the body, else of the challenge, else of the status alone. Only a known
 * error code is printed; the rest is on the error for code that reads it there.
 */
function refusal(answer: Answer, body: Record<string, unknown> | undefined): TokenEndpointError {
  const { name, status, retryAfter } = answer;
  const inBody = { error: errorCodeOf(body), error_description: body?.error_description };
  // Frameworks write prose into the body (`Unauthorized`), and the code into the challenge.
  const prefersChallenge =
    inBody.error === undefined || (isKnownCode(answer.challenge?.error) && !isKnownCode(inBody.error));
  const { error, error_description } = prefersChallenge ? (answer.challenge ?? {}) : inBody;
  const isKnown = isKnownCode(error);
  const said = isKnown ? `: ${error}` : isText(error) ? ', and an error code that is not a registered one' : '';
  const failure = new TokenEndpointError(`${name}${said}`, {
    status,
    ...(isKnown && { error }),
    ...(isText(error_description) && { error_description }),
    ...(retryAfter !== undefined && { retryAfter }),
  });
  return isText(error) && !isKnown ? Object.defineProperty(failure, 'error', { get: () => error }) : failure;
}

/** The refresh token of an answer that is no good otherwise: the server may have rotated all the same. */
export function refreshTokenIn({ status, text }: Answer): string | undefined {
  const body = status >= 200 && status < 300 ? parseBody(text) : undefined;
  return isObject(body) && isText(body.refresh_token) ? body.refresh_token : undefined;
}

/** What servers and what stands before them are known to send. */
const MEDIA_TYPES =
  /^(application\/((problem|hal|vnd\.api)\+)?json|application\/(jwt|xml|xhtml\+xml|problem\+xml|javascript|octet-stream|x-www-form-urlencoded)|text\/(html|plain|xml|javascript|json|css))$/;

/** Names an answer in errors. `place` is what they call the server. */
export const answeredBy = (place: string, { status, headers }: Pick<Response, 'status' | 'headers'>): string =>
  `${place} answered ${String(status)} with ${mediaTypeOf(headers)}`;

/** The media type, if it is a usual one: a server may write into a header whatever it was sent. */
export function mediaTypeOf(headers: Pick<Headers, 'get'>): string {
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type === undefined || type === '') return 'no content type';
  return MEDIA_TYPES.test(type) ? type : 'an unusual content type';
}

/** `Retry-After` in milliseconds; a date is read by the clock of the server that sent it. */
export const retryAfterOf = (headers: Pick<Headers, 'get'>, now: number): number | undefined =>
  parseRetryAfter(headers.get('retry-after'), parseHttpDate(headers.get('date') ?? '') || now);

export function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(levels - 1, member));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

const flawOf = (value: unknown): string =>
  isText(value) ? 'has characters that no header can carry' : `must be a string, got ${kindOf(value)}`;
