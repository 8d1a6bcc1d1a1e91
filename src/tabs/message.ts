/** The format of the messages between tabs, whose reader trusts nothing: any script of the origin may post. */
import { isTokenResponse } from '../stores/storedResponse.js';
import type { TokenResponse } from '../token/types.js';
import type { SignOut } from './session.js';

/** What tabs tell each other. Each message names the session to which it belongs. */
export type Message =
  /** A token. `age`: ms since it was asked for, when this was posted. */
  | { readonly type: 'token'; readonly session: string; readonly response: TokenResponse; readonly age: number }
  /** No usable token, but the last response: it may hold a refresh token that rotates. */
  | { readonly type: 'last'; readonly session: string; readonly response: TokenResponse; readonly age: number }
  /** Asks the others for their token. */
  | { readonly type: 'ask'; readonly session: string }
  | ({ readonly type: 'signOut' } & SignOut);

/** The version of the format. Messages of another version are ignored. */
const VERSION = 2;

/**
 * `at`: the wall clock, which all tabs of a machine share, so that a message that lay in a frozen tab shows its age.
 */
export const formatMessage = (message: Message, at: number): object => ({ ...message, at, version: VERSION });

/** A message as it is now; null for anything else. Whatever runs in the same origin may post anything. */
export function parseMessage(data: unknown, now: number): Message | null {
  const { version, type, session, next, response, age, at } = (data ?? {}) as Record<string, unknown>;
  if (version !== VERSION) return null;
  if (type === 'signOut')
    return typeof next === 'string' && (session === null || typeof session === 'string')
      ? { type, session, next }
      : null;
  if (typeof session !== 'string') return null;
  if (type === 'ask') return { type, session };
  if ((type !== 'token' && type !== 'last') || !isAge(age) || !Number.isFinite(at) || !isTokenResponse(response))
    return null;
  return { type, session, response, age: age + Math.max(0, now - (at as number)) };
}

const isAge = (value: unknown): value is number => Number.isFinite(value) && (value as number) >= 0;
