/** Reads the error code of answers, errors and bodies. */
import { fieldsOf } from '../internal/values/fieldsOf.js';
import { isText } from '../internal/values/kindOf.js';
import { bodiesOf, findIn, textOfBody } from './members.js';
import { isCode, isPermanentCode, isTemporaryCode } from './oauthErrors.js';
import { parseBody } from './parseBody.js';
import { failedStatusIn } from './status.js';

/**
 * The error code (RFC 6749 section 5.2) of a parsed body, of an error, or of the body of the response that it carries.
 */
export function errorCodeOf(answer: unknown): string | undefined {
  for (const carrier of [answer, ...bodiesOf(answer)]) {
    const text = textOfBody(carrier);
    const body = text === undefined ? carrier : parseBody(text);
    const { error, error_description, errcode } = fieldsOf(body);
    // So WeChat, WeCom and DingTalk say that they are busy.
    const busy = errcode === -1 ? 'temporarily_unavailable' : undefined;
    const said = codeIn(error);
    // NestJS and Fastify have the status in words there, such as `Forbidden`: another member may have the code.
    const code = (isPhrase(said) ? undefined : said) ?? findIn(body, oauthCode) ?? said ?? busy;
    // ServiceNow says `server_error`, and the code that it means in the description.
    const isRefusalInDescription = code !== undefined && isTemporaryCode(code) && isPermanentCode(error_description);
    if (code !== undefined) return isRefusalInDescription ? (error_description as string) : code;
  }
  // The name of the error's class says less than what the server said.
  return oauthCode(fieldsOf(answer).name);
}

/** Whether a body reports an error, whatever the status beside it. Some envelopes always have an empty list. */
export function saysError(body: unknown): boolean {
  const { error, errors } = fieldsOf(body);
  const hasErrors = [error, errors].some((each) =>
    typeof each === 'object' ? Object.keys(fieldsOf(each)).length > 0 : Boolean(each),
  );
  return hasErrors || errorCodeOf(body) !== undefined || failedStatusIn(body) !== undefined;
}

/** Other codes than OAuth's are the client's own, such as `network_error`, or gRPC's `cancelled`. */
const oauthCode = (given: unknown): string | undefined =>
  isText(given) && given !== 'cancelled' && (isPermanentCode(given) || isTemporaryCode(given)) ? given : undefined;

/**
 * The code in the member `error`, or its text, whatever that is: the code itself, or that of the object which Angular,
 * Google, OpenAI, Firebase (`{ message: 'QUOTA_EXCEEDED : …' }`) or Meta (`{ is_transient: true }`) have there.
 */
function codeIn(member: unknown): string | undefined {
  if (isText(member)) return codeIn(parseBody(member)) ?? member;
  const { is_transient, message } = fieldsOf(member);
  if (is_transient === true) return 'temporarily_unavailable';
  return findIn(member, spelledAsCode) ?? spelledAsCode(/^[A-Z_]+/.exec(message as string)?.[0]);
}

const isPhrase = (text: string | undefined): boolean => /^[A-Z][a-z]+( |$)/.test(text ?? '');

const spelledAsCode = (given: unknown): string | undefined => (isText(given) && isCode(given) ? given : undefined);
