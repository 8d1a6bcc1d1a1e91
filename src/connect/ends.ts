/** How a connection ended, and what that says of its token. */
import { fieldsOf } from '../internal/values/fieldsOf.js';
import { statusOf } from '../answers/status.js';
import { isRejection as isRejectedAnswer, kindOfRejection } from '../answers/isRejection.js';
import type { Rejection } from '../token/decisions/rejectionMemory.js';
import type { AccessToken } from '../token/types.js';

export interface ConnectionEnd {
  /** What it failed with, or null if it completed. */
  readonly reason: unknown;
  /** The last token that the server was given. */
  readonly token: AccessToken;
  /** The token has expired or was replaced during the connection, so it may be rejected. */
  readonly isTokenOver: boolean;
  readonly hasMessage: boolean;
  /** Milliseconds; -Infinity if it never opened. */
  readonly openFor: number;
}

/** Close codes: policy violation (RFC 6455 section 7.4.1), IANA's 3003, forbidden by custom. */
const FORBIDDEN_CODES: readonly unknown[] = [1008, 3003, 4403];
/** Unauthorized: IANA's 3000, and 4401 by custom. */
const REJECTION_CODES: readonly unknown[] = [3000, 4401, ...FORBIDDEN_CODES];
const NORMAL_CLOSURE = 1000;
const ABNORMAL_CLOSURE = 1006;

export const isRejection = (reason: unknown): boolean =>
  REJECTION_CODES.includes(codeOf(reason)) || isRejectedAnswer(reason) || refusalOf(reason) !== undefined;

/** The rejection with which a connection ended. Bare: the resource may be forbidden to any token. */
export const rejectionOf = ({ reason, token }: Pick<ConnectionEnd, 'reason' | 'token'>): Rejection => {
  const isBare = FORBIDDEN_CODES.includes(codeOf(reason)) || refusalOf(reason) === 403;
  return { token, kind: isBare ? 'bare' : kindOfRejection(reason) };
};

/** The other side has no more to say: the stream completes. */
export const isNormal = (reason: unknown): boolean =>
  reason === null || codeOf(reason) === NORMAL_CLOSURE || statusOf(reason) === 204;

const codeOf = (reason: unknown): unknown => fieldsOf(reason).code;

/**
 * 401 or 403, if a server refused the connection with it or with RFC 6750's code, from where clients tell it: `ws`,
 * `websocket`, `eventsource`, socket.io and React Native. Browsers do not.
 */
function refusalOf(reason: unknown): number | undefined {
  if (statusOf(reason) !== undefined) return undefined; // `isRejectedAnswer` judges it, by its headers too
  const { code, message, description, reason: closeReason, data, status } = fieldsOf(reason);
  const codes = [code, fieldsOf(data).code];
  if (codes.includes('invalid_token')) return 401;
  // No server can close with 1006: such a reason is the client's own.
  const texts = [message, fieldsOf(description).message, code === ABNORMAL_CLOSURE ? closeReason : undefined];
  const statuses = texts.map((text) => Number(STATUS.exec(String(text))?.[1]));
  return [...codes, description, Number(status), statusOf(data), ...statuses].find(
    (each): each is number => each === 401 || each === 403,
  );
}

const STATUS = /\b(?:response|status)\b\D{1,24}(\d{3})\b(?!\s*m?s\b)/i;
