/** What an error says, made fit for a log: on one line and without secrets. */
import { errorCodeOf } from './errorCode.js';
import { LONGEST_CHAIN } from './members.js';
import { statusOf } from './status.js';
import { isText } from '../internal/values/kindOf.js';
import { isPrintable } from './oauthErrors.js';

const LONGEST = 300;

/** Of a longer message, such as a page that a server sent, no more is read: some patterns below take quadratic time. */
const LONGEST_READ = 1000;

const CREDENTIALS = /\/\/[^\s/?#]*@/g;

/**
 * Of a URL, absolute or not: a word with a slash, or with `name=` behind it. It ends at a blank, but for what closes a
 * quotation or a sentence.
 */
const QUERY =
  /(?<![^\s"'(])([^\s"'(?#]*(?:\/[^\s?#]*(?=[?#])|(?=[?#][\w.~-]+=)))[?#]\S+?(["')\]>}]{0,3}[:;,.]?)(?=\s|$)/g;

/** What the platform quotes of a body that it cannot read: `..."s3cr3t"... is not valid JSON`. */
const UNREADABLE_JSON = /^([^"]*?)(\.{3})?"[^]*"\.*(?= is not valid JSON\b)/;

/** What graphql-request quotes: the answer, and the request with its variables. */
const QUOTED_REQUEST = /\{"response":[^]*/;

/** What node-fetch and Firefox quote of a header that HTTP does not allow. */
const UNREADABLE_HEADER = /^(\w+\.\w+: )?.*(?= is (not a legal HTTP|an invalid) header )/;

/**
 * What `JSON.parse` quotes in Safari and in Bun, what Safari quotes of a header, and what follows a scheme in a header
 * (RFC 9110 section 11.4): longer than a word.
 */
const SECRET = /(?<=Unexpected identifier |has invalid value: ).+|(?<=\b(Basic|Bearer|DPoP) )[\w.~+/=-]{16,}/gi;

/**
 * Base64 of any length that encodes a colon (0x3A), as no word does. By its place among three bytes a colon is
 * `O[g-v]`, `.[DTjz][o-r]` or `...6`.
 */
const CREDENTIAL_PAIR = /\b([Bb]asic) (?=(\w{4})*?(\w{4}O[g-v]|\w[DTjz][o-r]|\w{3}6))[\w.~+/=-]+/g;

/** The whole message of Node's fetch. The reason is in the cause: a wrong host, a refused connection, a certificate. */
const NODE_FETCH_FAILED = 'fetch failed';

/**
 * What an error says, on one line; without what may be a secret: the query of a URL, its credentials, a quoted body,
 * header or request.
 */
export function messageOf(error: unknown): string {
  const message = isText(error) ? error : textIn(error, 'message');
  const told =
    message === NODE_FETCH_FAILED
      ? withCause(message, error)
      : (message ?? textIn(error, 'name') ?? (statusAndCodeOf(error) || typeof error));
  return told
    .replace(UNREADABLE_JSON, '$1…')
    .replace(QUOTED_REQUEST, '…')
    .slice(0, LONGEST_READ)
    .replace(/\s+/g, ' ')
    .replace(UNREADABLE_HEADER, '$1…')
    .replace(SECRET, '…')
    .replace(CREDENTIAL_PAIR, '$1 …')
    .replace(CREDENTIALS, '//')
    .replace(QUERY, '$1$2')
    .slice(0, LONGEST);
}

function withCause(message: string, error: unknown): string {
  let reason: string | undefined;
  let link = error as { cause?: unknown } | null | undefined;
  for (let depth = 1; depth < LONGEST_CHAIN; depth++) {
    link = link?.cause as typeof link;
    // For a host of several addresses it is an AggregateError, which has a code and no message. The last one counts:
    // if a proxy refuses a tunnel, the one above it says "Request was cancelled."
    reason = textIn(link, 'message') ?? textIn(link, 'code') ?? reason;
  }
  return reason === undefined ? message : `${message}: ${reason}`;
}

/** A member that says something. It may be a getter that throws. */
function textIn(error: unknown, member: 'message' | 'name' | 'code'): string | undefined {
  try {
    const value = (error as Partial<Error & { code: unknown }> | null | undefined)?.[member];
    return isText(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** For what is thrown instead of an error: a Response, or the body of one. */
function statusAndCodeOf(thrown: unknown): string {
  try {
    const code = errorCodeOf(thrown);
    return [statusOf(thrown), code && isPrintable(code) && code].filter(Boolean).join(' ');
  } catch {
    return '';
  }
}
