import type { TokenRequest, TokenResponse } from '../token/types.js';
import type { ForgottenTokens } from './forgottenTokens.js';
import type { Queue } from './queue.js';
import { redactedCause } from './redact.js';
import type { RefreshTokenOptions } from './refreshToken.js';
import { finished, NothingSupplied, supplied } from './source.js';

export type Report = TokenRequest['report'];

export interface CurrentRefreshTokenOptions extends Pick<RefreshTokenOptions, 'refreshToken' | 'onRotate'> {
  /** Calls `onRotate` one after another, so that a slow call never writes an old refresh token over a newer. */
  readonly inTurn: Queue;
  readonly forgotten: ForgottenTokens;
}

/** The refresh token of one session: which one is used next, and what is stored of it. */
export interface CurrentRefreshToken {
  /** The refresh token in use; it is read if there is none. */
  get(signal: AbortSignal): Promise<string>;
  /** Reads again, since another process may have rotated: the refresh token that is stored, if it is another than before. */
  getChanged(signal: AbortSignal): Promise<string | undefined>;
  /** Takes the refresh token that the stream's `TokenStore` has, unless it is the one that was taken before. */
  takeFromStore(last: TokenResponse | null | undefined): void;
  /** Takes the refresh token of a response, and stores it; settles when that is done. A failure is reported. */
  replace(response: TokenResponse | undefined, report: Report): Promise<void>;
  /** The response with the refresh token that is to be used next. */
  addTo(response: TokenResponse): TokenResponse;
  /** Revokes the refresh token in use; none that was read is used again. */
  forget(): void;
}

/** @param ended once it is aborted, nothing more is used or stored; what still comes is revoked */
export function currentRefreshToken(options: CurrentRefreshTokenOptions, ended: AbortSignal): CurrentRefreshToken {
  const { refreshToken: given, onRotate, inTurn, forgotten } = options;
  let current: string | undefined;
  let lastRead: string | undefined;
  /** What `onRotate` stored last, or what was read since. */
  let stored: string | undefined;
  /** The storing that began last. */
  let storing: { readonly token: string; readonly done: Promise<void> } | undefined;
  /** The refresh token that the stream's store had when it was last asked. */
  let shared: string | undefined;

  async function read(signal: AbortSignal): Promise<string> {
    const token = await supplied('refreshToken', given, signal);
    if (forgotten.has(token)) throw new NothingSupplied('the refresh token is that of a session which has ended');
    return (lastRead = token);
  }

  async function store(tokens: TokenResponse & { refresh_token: string }, report: Report): Promise<void> {
    if (ended.aborted) return;
    try {
      await finished(onRotate?.(tokens));
      stored = tokens.refresh_token;
    } catch (failure) {
      const cause = redactedCause(failure);
      report?.(new Error('onRotate failed: the new refresh token is in use, but not stored', { cause }));
    }
  }

  return {
    get: async (signal) => (current ??= stored = await read(signal)),
    getChanged: async (signal) => {
      // A string does not change: the server takes it as used once it has rotated.
      const token = typeof given === 'function' ? await read(signal).catch(() => undefined) : undefined;
      if (token === undefined || token === stored) return undefined;
      return (current = stored = token);
    },
    takeFromStore: (last) => {
      const token: unknown = last?.refresh_token;
      if (typeof token === 'string' && token !== '' && token !== shared && !forgotten.has(token))
        current = shared = token;
    },
    // What `reauthenticate` gives may be anything.
    replace: async (response, report) => {
      if (ended.aborted) {
        forgotten.revoke(response);
        return;
      }
      const token: unknown = response?.refresh_token;
      if (typeof token === 'string' && token !== '') current = token;
      if (!onRotate || current === undefined) return;
      // Nothing to do if it is stored already, or on its way.
      if (current !== (storing?.token ?? stored)) {
        const tokens = { ...(response as TokenResponse), refresh_token: current };
        const begun = { token: current, done: inTurn(() => store(tokens, report)) };
        storing = begun;
        await begun.done;
        if (storing === begun) storing = undefined;
      } else await storing?.done;
    },
    addTo: (response) => (current === undefined ? response : { ...response, refresh_token: current }),
    forget: () => {
      forgotten.revoke({ refresh_token: current ?? (typeof given === 'string' ? given : undefined) });
      forgotten.add(given, lastRead, shared);
    },
  };
}
