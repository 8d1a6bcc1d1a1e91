/** The error of an answer without a token: where the token may be instead, or what the answer has. */
import { InvalidTokenResponseError } from '../errors.js';
import { fieldsOf } from '../internal/values/fieldsOf.js';
import { kindOf, tagOf } from '../internal/values/kindOf.js';
import { permanentError } from './permanentError.js';

/** A name that may be printed: of words. An id, or another key of a map, may be a secret. */
const NAME = /^(?=.{1,24}$)[A-Z]?[a-z]*((_|_?[A-Z])[a-z]+)*$/;

/** What logins call a token for requests: `user.token`, `accessJwt`, `access` (Django). */
const TOKEN_NAME = /^(?!.*(refresh|csrf|xsrf|device|session_?token)).*(token|jwt|\baccess)$/i;

const MOST_NAMES = 5;

/** Not a list or bytes, which may have millions of members. */
const isPlain = (body: unknown): body is object => tagOf(body) === '[object Object]';

/** Where the members of a body are that say something, down to three levels: `data.login.token`. */
function placesIn(body: unknown, depth = 3): string[] {
  try {
    return Object.entries(isPlain(body) && depth > 0 ? body : {})
      .filter(([name, member]) => NAME.test(name) && (member ?? '') !== '')
      .flatMap(([name, member]) => {
        const below = placesIn(member, depth - 1);
        return below.length > 0 ? below.map((place) => `${name}.${place}`) : name;
      });
  } catch {
    return []; // a getter has thrown
  }
}

const listOf = (places: readonly string[]): string => places.slice(0, MOST_NAMES).join(', ');

/**
 * Says where a body may have its token; an empty text, if nowhere.
 *
 * @param remedy what to do then
 */
export function misplacedTokenIn(body: unknown, remedy: string): string {
  const names = listOf(placesIn(body).filter((place) => TOKEN_NAME.test(place)));
  return names && `, but ${names}: ${remedy}`;
}

/** The server has no token yet: the member is there, and is undefined, null or empty. */
export const isEmptyToken = (body: unknown): boolean =>
  'access_token' in fieldsOf(body) && (fieldsOf(body).access_token ?? '') === '';

/**
 * The error of a body without a token. A server that answers so has understood the request: another attempt does not
 * help, unless the token is undefined, null or empty because there is none yet.
 *
 * @param remedy what to do if the token has another name
 */
export function missingTokenError(body: unknown, answered: string, remedy: string): InvalidTokenResponseError {
  const { access_token, ...others } = fieldsOf(body);
  const missing = `${answered} no access_token (${kindOf(access_token)})`;
  if (isEmptyToken(body)) return new InvalidTokenResponseError(missing);
  const names = listOf(placesIn(others));
  return permanentError(missing + (misplacedTokenIn(others, remedy) || (names && `; it has ${names}`)));
}
