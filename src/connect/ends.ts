/** How a connection ended, and what that says of its token. */
import { fieldsOf, statusOf } from '../internal/answers.js';
import { isRejection as isRejectedAnswer, kindOfRejection } from '../token/isRejection.js';
import type { Rejection } from '../token/recovery.js';
import type { AccessToken } from '../token/types.js';

export interface ConnectionEnd {
  /** What it failed with, or null if it completed. */
  readonly end: unknown;
  /** The last token that the server was given. */
  readonly token: AccessToken;
  /** The token has expired or was replaced during the connection, so it may be rejected. */
  readonly isTokenOver: boolean;
  readonly hasMessage: boolean;
  /** Milliseconds; -Infinity if it never opened. */
  readonly openFor: number;
}

/** The end of a connection, on its way to the notifier of `retry`. A mistake in the user's code is not one. */
export class Ended extends Error {
  constructor(readonly how: ConnectionEnd) {
    super();
  }
}

/** Close codes: policy violation (RFC 6455 section 7.4.1), IANA's 3003, forbidden by custom. */
const FORBIDDEN_CODES: readonly unknown[] = [1008, 3003, 4403];
/** Unauthorized: IANA's 3000, and 4401 by custom. */
const REJECTION_CODES: readonly unknown[] = [3000, 4401, ...FORBIDDEN_CODES];
const NORMAL_CLOSURE = 1000;
const ABNORMAL_CLOSURE = 1006;

export const isRejection = (end: unknown): boolean =>
  REJECTION_CODES.includes(codeOf(end)) || isRejectedAnswer(end) || refusalOf(end) !== undefined;

/** The rejection with which a connection ended. Bare: the resource may be forbidden to any token. */
export const rejectionOf = ({ end, token }: Pick<ConnectionEnd, 'end' | 'token'>): Rejection => {
  const isBare = FORBIDDEN_CODES.includes(codeOf(end)) || refusalOf(end) === 403;
  return { token, kind: isBare ? 'bare' : kindOfRejection(end) };
};

/** The other side has no more to say: the stream completes. */
export const isNormal = (end: unknown): boolean =>
  end === null || codeOf(end) === NORMAL_CLOSURE || statusOf(end) === 204;

const codeOf = (end: unknown): unknown => fieldsOf(end).code;

/**
 * 401 or 403, if a server refused the connection with it or with RFC 6750's code, from where clients tell it: `ws`,
 * `websocket`, `eventsource`, socket.io and React Native. Browsers do not.
 */
function refusalOf(end: unknown): number | undefined {
  if (statusOf(end) !== undefined) return undefined; // `isRejectedAnswer` judges it, by its headers too
  const { code, message, description, reason, data, status } = fieldsOf(end);
  const codes = [code, fieldsOf(data).code];
  if (codes.includes('invalid_token')) return 401;
  // No server can close with 1006: such a reason is the client's own.
  const texts = [message, fieldsOf(description).message, code === ABNORMAL_CLOSURE ? reason : undefined];
  const told = texts.map((text) => Number(STATUS.exec(String(text))?.[1]));
  return [...codes, description, Number(status), statusOf(data), ...told].find(
    (each): each is number => each === 401 || each === 403,
  );
}

const STATUS = /\b(?:response|status)\b\D{1,24}(\d{3})\b(?!\s*m?s\b)/i;
