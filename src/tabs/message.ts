import { checkTokenResponse } from '../token/tokenResponse.js';
import type { TokenResponse } from '../token/types.js';

/** What tabs tell each other. */
export type Message =
  /** Here is a token. `age`: ms since it was asked for, when this was posted. */
  | { readonly type: 'token'; readonly response: TokenResponse; readonly age: number }
  /** No token worth using, but the last response: a refresh token that rotates lives there. */
  | { readonly type: 'last'; readonly response: TokenResponse; readonly age: number }
  /** Has anyone got a token? */
  | { readonly type: 'ask' }
  | { readonly type: 'signOut' };

/** The wire format. Another version is another language. */
const VERSION = 1;

/** `at`: the wall clock, which all tabs of a machine share, so that a message that lay in a frozen tab shows its age. */
export const write = (message: Message, at: number): object => ({ ...message, at, version: VERSION });

/** A message as it is now; null for what this is not. Whatever runs in the same origin may post anything. */
export function read(data: unknown, now: number): Message | null {
  const { version, type, response, age, at } = (data ?? {}) as Record<string, unknown>;
  if (version !== VERSION) return null;
  if (type === 'ask' || type === 'signOut') return { type };
  if ((type !== 'token' && type !== 'last') || !isAge(age) || !Number.isFinite(at) || !isToken(response)) return null;
  return { type, response, age: age + Math.max(0, now - (at as number)) };
}

/** Whether a response is worth telling: what it is not is for the stream to say. */
export function isToken(response: unknown): response is TokenResponse {
  try {
    checkTokenResponse(response);
    return true;
  } catch {
    return false;
  }
}

const isAge = (value: unknown): value is number => Number.isFinite(value) && (value as number) >= 0;
