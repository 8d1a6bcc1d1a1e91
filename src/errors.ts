/** The errors of the package, and `isTokenError`, which knows them by their codes in every copy of the package. */
import { messageOf } from './answers/messageOf.js';
import { isPrintable } from './answers/oauthErrors.js';
import { INSPECT } from './internal/platform/inspect.js';

/** Marks the library's errors, so that two copies of the package know each other's. */
const BRAND = Symbol.for('rx-fresh-token/error');

/**
 * Every error carries a literal `name`, a stable `code` and a `cause`. Codes are API, messages are not. What could hold
 * a secret (a response, its headers) lives in private fields, so that no inspector prints it.
 */
function coded<N extends string, C extends string>(name: N, code: C): CodedErrorClass<N, C> {
  class CodedError extends Error {
    readonly code: C = code;

    /** What a logger prints that serializes an error as JSON: an Error has no enumerable members of its own. */
    toJSON(): object {
      const cause = this.cause === undefined ? {} : { cause: messageOf(this.cause) };
      return Object.assign({ name: this.name }, this, { message: this.message }, cause);
    }

    /** What Node's console prints. The cause may be an error of axios, which holds the request, with its secrets. */
    [INSPECT](_depth: number, options: object, inspect: Inspect): string {
      const cause = this.cause === undefined ? {} : { cause: withoutMembers(this.cause) };
      return `${String(this.stack)} ${inspect(Object.assign({}, this, cause), options)}`;
    }
  }
  Object.defineProperties(CodedError.prototype, { name: { value: name }, [BRAND]: { value: true } });
  return CodedError as unknown as CodedErrorClass<N, C>;
}

type Inspect = (value: object, options: object) => string;

/** Of a cause the message and the stack are printed. One of this package is printed as it prints itself. */
function withoutMembers(cause: unknown): unknown {
  const text = messageOf(cause);
  try {
    if (isTokenError(cause)) return cause;
    const { name, stack } = cause as Error;
    // The first lines of a stack are the message as it was, maybe with a secret.
    const frames = /\n\s+at [^]*/.exec(stack as string);
    return frames ? { [INSPECT]: () => `${name}: ${text}${frames[0]}` } : text;
  } catch {
    return text;
  }
}

/** As `ErrorOptions`, which projects have only from ES2022 on. */
interface Cause {
  cause?: unknown;
}

/** Spelled out, or the declarations would name Node's own additions to Error. */
type CodedErrorClass<N, C> = new (
  message?: string,
  options?: Cause,
) => Error & { readonly name: N; readonly code: C; toJSON(): object };

/**
 * No usable token within `maxWait`, or the token source failed permanently. `cause` is the last failure; the message
 * ends with its message.
 */
export class TokenUnavailableError extends /* @__PURE__ */ coded('TokenUnavailableError', 'ERR_TOKEN_UNAVAILABLE') {
  constructor(message = 'no usable token', options?: Cause) {
    super(options?.cause === undefined ? message : `${message}: ${messageOf(options.cause)}`, options);
  }
}

/** One token fetch took longer than `fetchTimeout`. */
export class TokenFetchTimeoutError
  extends /* @__PURE__ */ coded('TokenFetchTimeoutError', 'ERR_TOKEN_FETCH_TIMEOUT') {}

/** The error response of a token endpoint (RFC 6749 section 5.2). */
export interface TokenEndpointErrorInit extends Cause {
  /** HTTP status of the answer. */
  readonly status?: number | undefined;
  /** The OAuth error code, e.g. `invalid_client`. */
  readonly error?: string | undefined;
  /** The server's explanation, for developers. It is not printed, because it may repeat a secret. */
  readonly error_description?: string | undefined;
  /** Milliseconds that the server asked to wait (`Retry-After`). */
  readonly retryAfter?: number | undefined;
}

/** The token endpoint answered with an error instead of a token, or could not be reached. */
export class TokenEndpointError extends /* @__PURE__ */ coded('TokenEndpointError', 'ERR_TOKEN_ENDPOINT') {
  declare readonly status: number | undefined;
  /** Printed if it is spelled like a code; otherwise it is hidden like `error_description`. */
  declare readonly error: string | undefined;
  /** Not enumerable, not in the message, and printed by no inspector: a server may write anything into it. */
  declare readonly error_description: string | undefined;
  declare readonly retryAfter: number | undefined;

  constructor(message: string, init: TokenEndpointErrorInit = {}) {
    super(message, init);
    // No other member: `init` may be the body of an answer, with a `code` or a token in it.
    for (const name of ['retryAfter', 'status', 'error', 'error_description'] as const) {
      const value = init[name];
      if (value === undefined) continue;
      const isPrinted = name === 'error' ? isPrintable(value as string) : name !== 'error_description';
      if (isPrinted) Object.assign(this, { [name]: value });
      // By a getter: inspectors that show hidden properties print values, not getters.
      else Object.defineProperty(this, name, { get: () => value });
    }
  }
}

/** The token source answered with something that is not a token response (RFC 6749 section 5.1). */
export class InvalidTokenResponseError
  extends /* @__PURE__ */ coded('InvalidTokenResponseError', 'ERR_INVALID_TOKEN_RESPONSE') {}

/** The token store did not answer, or its content cannot be read. A later attempt may succeed. */
export class TokenStoreError extends /* @__PURE__ */ coded('TokenStoreError', 'ERR_TOKEN_STORE') {}

/** The stream was closed. */
export class TokenStreamClosedError extends /* @__PURE__ */ coded('TokenStreamClosedError', 'ERR_TOKEN_STREAM_CLOSED') {
  constructor(message = 'the token stream is closed', options?: Cause) {
    super(message, options);
  }
}

/** The request would have carried the token to an origin that is not in `allowedOrigins`. Nothing was sent. */
export class OriginNotAllowedError extends /* @__PURE__ */ coded('OriginNotAllowedError', 'ERR_ORIGIN_NOT_ALLOWED') {}

/** The request took longer than its `timeout`. */
export class RequestTimeoutError extends /* @__PURE__ */ coded('RequestTimeoutError', 'ERR_REQUEST_TIMEOUT') {}

/**
 * A response with a status outside 200 to 299. You can read up to 64 kB of the body of `response`, for the reason. They
 * are in memory, so the error holds no connection.
 */
export class HttpStatusError extends /* @__PURE__ */ coded('HttpStatusError', 'ERR_HTTP_STATUS') {
  readonly status: number;
  readonly #response: Response;

  constructor(message: string, response: Response, options?: Cause) {
    super(message, options);
    this.status = response.status;
    this.#response = response;
  }

  get response(): Response {
    return this.#response;
  }
}

/** Any error of this library. */
export type TokenError =
  | TokenUnavailableError
  | TokenFetchTimeoutError
  | TokenEndpointError
  | InvalidTokenResponseError
  | TokenStoreError
  | TokenStreamClosedError
  | OriginNotAllowedError
  | RequestTimeoutError
  | HttpStatusError;

/**
 * Returns true if `error` is an error of this library, and with `code` if it has this code. It also works if the
 * package is installed twice, because it does not compare classes.
 */
export function isTokenError(error: unknown): error is TokenError;
export function isTokenError<C extends TokenError['code']>(
  error: unknown,
  code: C,
): error is Extract<TokenError, { code: C }>;
export function isTokenError(error: unknown, code?: string): boolean {
  const { [BRAND]: branded, code: actual } = (error ?? {}) as { [BRAND]?: boolean; code?: string };
  return branded === true && (code ?? actual) === actual;
}
