/** Reads the answer of a token endpoint: a token, or an error with the code that the answer means. */
import { TokenEndpointError } from '../../errors.js';
import { asksForAnotherTry, isHtml } from '../../answers/anotherTry.js';
import { errorCodeOf, saysError } from '../../answers/errorCode.js';
import { failedStatusIn, isTemporaryStatus } from '../../answers/status.js';
import { fieldsOf } from '../../internal/values/fieldsOf.js';
import { isKnownCode, isPermanentCode, isTemporaryCode, requiresSignIn } from '../../answers/oauthErrors.js';
import { parseBody } from '../../answers/parseBody.js';
import { asksToWaitBy, parseHttpDate, retryAfterBy } from '../../answers/retryAfter.js';
import { isText } from '../../internal/values/kindOf.js';
import { markPermanent } from '../../answers/permanentError.js';
import { isEmptyToken, missingTokenError, misplacedTokenIn } from '../../answers/missingToken.js';
import { notJsonError } from '../../answers/tokenResponse.js';
import type { TokenResponse } from '../../token/types.js';

/** What a token endpoint answered. */
export interface Answer {
  /** What the errors call it: see `answeredBy`. */
  readonly name: string;
  readonly status: number;
  readonly headers: Pick<Headers, 'get'>;
  readonly body: string;
  /** When it came, by the wall clock: oauth4webapi signs by that, and the server's dates are compared with it. */
  readonly received: number;
}

/**
 * Makes a token response of an answer (RFC 6749 section 5), or an error that says what is wrong without quoting it.
 * Lenient where servers are known to be sloppy: neither the media type nor `token_type` matters, and any 2xx will do.
 */
export function tokenResponseOf(answer: Answer): TokenResponse {
  const { name, status } = answer;
  const body = parseBody(answer.body);
  const { access_token } = fieldsOf(body);
  const isOk = status >= 200 && status < 300;
  if (isOk && isText(access_token)) return body as TokenResponse;
  if (!isOk || asksToRetry(answer) || saysError(body) || saysToSignIn(answer.body)) throw refusal(answer, body);
  if (body === undefined) throw notJsonError(answer.body, status, `${name}, but`);
  throw missingTokenError(body, `${name} and`, REMEDY);
}

const REMEDY = 'give a "fetch" that returns { access_token, expires_in }';

/** What servers say in the place of `invalid_grant`: Atlassian, Cognito, Django, Gitea, OpenAI, X and others. */
const SIGN_IN_AGAIN = [
  /invalid.grant(?!.?type)/i,
  /\b((invalid|expired).{0,9}|(bad|old|an active).)refresh.?token/i,
  /refresh.?token.{0,30}(invalid|expired|revoked)\b/i,
  /refresh.?token[^"]{0,30}(invalidated|not.(found|valid)|reuse)/i,
  /token[^"]{0,30}(already|been).(been.)?used/i,
  /(token|session)[^"]{0,30}revoked\b/i,
  // At the beginning of a message, since the token of a form or of an API may be invalid, too.
  /"(the )?token (is|has)( been)? (invalid|expired|blacklisted)/i,
  // Gitea says the first of an expired one, X the second.
  /(parse|validate).{0,4}refresh.?token|for the token was invalid/i,
  /session[^"]{0,12}((?<!ext|susp)ended|expired|not.found|terminated)/i,
  // Firebase, Hydra and Zoom.
  /"message":\s*"(TOKEN_EXPIRED|USER_DISABLED|USER_NOT_FOUND)"|"token_inactive"|"Invalid Token!"/,
];

/** Not the page of a firewall, whatever it says of a session. */
const saysToSignIn = (text: string): boolean =>
  !isHtml({ body: text }) && SIGN_IN_AGAIN.some((words) => words.test(text));

/** What is wrong is not the refresh token (RFC 6749 section 5.2, RFC 8707 section 2): a new sign-in does not help. */
const OF_THE_REQUEST = ['invalid_client', 'unsupported_grant_type', 'invalid_scope', 'invalid_target'];

/** Statuses that say nothing of the refresh token. */
const OF_THE_TIME = [408, 421, 425, 429];

/**
 * Whether a refusal may be about the refresh token, as far as its status and code tell. Logins of an application's own
 * may answer 404 or 419.
 */
export const mayRejectRefreshToken = (status = 500, code = ''): boolean =>
  status < 500 && !OF_THE_TIME.includes(status) && !OF_THE_REQUEST.includes(code) && !isTemporaryCode(code);

/**
 * What Entra, Exact, Salesforce and Zoho say with any code: there were too many requests (AADSTS50196: a loop of them),
 * or another one uses the refresh token. It stays valid.
 */
const BUSY = /too many (\w+ )?requests|rate.?(limit|exceeded)|throttled|already being processed|AADSTS50196/i;

/** How Hydra and Salesforce ask for another try, with codes that do not say so. */
const AGAIN = /retry (your|the) request|concurrent requests/i;

/** With a code that asks for a sign-in: the token was ended, for whatever reason. */
const ENDED = /revoked|(has|is|token) expired|invalidated|already.(been.)?used/i;

/** Whether words ask for another try. `mustSignIn`: the code asks for a sign-in. */
const asksInWords = (words: string, mustSignIn: boolean): boolean =>
  mustSignIn ? BUSY.test(words) && !ENDED.test(words) : BUSY.test(words) || AGAIN.test(words);

/** The code of errors after which another try may help. */
export const TEMPORARILY_UNAVAILABLE = 'temporarily_unavailable';

/**
 * Whether an answer without a token asks for another try, other than by a 5xx or a code: by its headers, or by a status
 * in the body of a success. There, that no requests are left is said of the next one. The stream asks the same of the
 * errors of other sources; those of this entry show a code for it, because they have no headers.
 */
export function asksToRetry(answer: Pick<Answer, 'status' | 'headers' | 'body'>): boolean {
  const { status, headers, body } = answer;
  if (status >= 400) return status < 500 && asksForAnotherTry(answer);
  const inBody = failedStatusIn(parseBody(body)) ?? 0;
  return asksToWaitBy((header) => headers.get(header)) || isTemporaryStatus(inBody) || inBody >= 500;
}

/** The code that an answer means by its words, if it has another one, or none. */
function codeMeant(answer: Answer, code: string, description: unknown): string | undefined {
  const { status, body } = answer;
  const mustSignIn = requiresSignIn(code);
  if (isText(description) && asksInWords(description, mustSignIn) && !isTemporaryCode(code))
    return TEMPORARILY_UNAVAILABLE;
  // A 404 may name the path, which has such words in it.
  if (!mustSignIn && status <= 403 && mayRejectRefreshToken(status, code) && saysToSignIn(body)) return 'invalid_grant';
  return asksToRetry(answer) && !isPermanentCode(code) && !isTemporaryCode(code) ? TEMPORARILY_UNAVAILABLE : undefined;
}

/**
 * An error answer (RFC 6749 section 5.2). Only a known code is printed; the rest is on the error for code that reads it
 * there.
 */
function refusal(answer: Answer, body: unknown): TokenEndpointError {
  const { name, status } = answer;
  const code = errorCodeOf(body) ?? '';
  const { error_description } = fieldsOf(body);
  const isKnown = isKnownCode(code);
  const meant = codeMeant(answer, code, error_description);
  const error = meant ?? (isKnown ? code : undefined);
  // An error in a success is judged like one in a 400, whatever it is called. An empty token is none yet.
  const isMistake = status < 300 && !isTemporaryCode(error ?? code) && !isEmptyToken(body);
  const retryAfter = retryAfterIn(answer, answer.received, isMistake || isPermanentCode(error ?? code));
  const said = isKnown ? `: ${code}` : code && ', and an error code that is not printed';
  const hint = status < 300 && asksToRetry(answer) ? misplacedTokenIn(body, REMEDY) : '';
  const failure = new TokenEndpointError(`${name}${said}${meant ? ` (${meant})` : ''}${hint}`, {
    status,
    error,
    error_description: isText(error_description) ? error_description : undefined,
    retryAfter,
  });
  if (isMistake) markPermanent(failure);
  // Hidden, since it is not known: the constructor prints every text that is spelled like a code.
  return code && error === undefined ? Object.defineProperty(failure, 'error', { get: () => code }) : failure;
}

/** Names an answer in errors. `place` is what they call the server. */
export const answeredBy = (place: string, { status, headers }: Pick<Answer, 'status' | 'headers'>): string =>
  `${place} answered ${String(status)} with ${mediaTypeOf(headers)}`;

/** The media type, if it is spelled like one: a server may write into a header whatever it was sent. */
export function mediaTypeOf(headers: Pick<Headers, 'get'>): string {
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (!type) return 'no content type';
  return /^[a-z]+\/[a-z.+-]{1,40}$/.test(type) ? type : 'an unusual content type';
}

/**
 * How long an answer asks to wait, in milliseconds; a time is read by the clock of the server that sent it.
 *
 * @param isFinal a wait does not help
 */
export const retryAfterIn = ({ status, headers }: Pick<Answer, 'status' | 'headers'>, now: number, isFinal = false) =>
  retryAfterBy((name) => headers.get(name), status, now, isFinal);

/**
 * By how many whole seconds the server's clock is ahead of ours, by its `Date` header (the server is known by its TLS
 * certificate). Rounded down: what is signed by the result is never ahead of the server.
 */
export function clockSkewOf({ headers, received }: Pick<Answer, 'headers' | 'received'>): number | undefined {
  const skew = Math.floor((parseHttpDate(headers.get('date') ?? '') - received) / 1000);
  return Number.isNaN(skew) ? undefined : skew;
}
