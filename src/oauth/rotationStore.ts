import type { TokenRequest } from '../token/types.js';
import type { Queue } from './queue.js';
import { redactedCause } from './redact.js';
import type { RefreshTokenOptions, RotatedTokens } from './refreshTokenOptions.js';
import { finished } from './source.js';

/** What is known of where refresh tokens are kept. */
export interface RotationStore {
  /** The refresh token that is kept there, as far as anyone can tell. */
  current(): string | undefined;
  /** This one was read from there. */
  wasRead(refreshToken: string): void;
  /** Stores a refresh token, unless it is there already or on its way. Settles when that is done; a failure is reported. */
  keep(tokens: RotatedTokens, report: TokenRequest['report']): Promise<void>;
}

/**
 * @param inTurn calls `onRotate` one after another, so that a slow call never writes an old refresh token over a newer
 * @param ended once it is aborted, nothing more is stored
 */
export function rotationStore(
  onRotate: RefreshTokenOptions['onRotate'],
  inTurn: Queue,
  ended: AbortSignal,
): RotationStore {
  let stored: string | undefined;
  let last: { readonly token: string; readonly done: Promise<void> } | undefined;

  async function store(tokens: RotatedTokens, report: TokenRequest['report']): Promise<void> {
    if (ended.aborted) return;
    try {
      await finished(onRotate?.(tokens));
      stored = tokens.refresh_token;
    } catch (failure) {
      report?.(
        new Error('onRotate failed: the new refresh token is in use, but not stored', {
          cause: redactedCause(failure),
        }),
      );
    }
  }

  return {
    current: () => stored,
    wasRead: (refreshToken) => (stored = refreshToken),
    keep: (tokens, report) => {
      const token = tokens.refresh_token;
      if (!onRotate || (last ? last.token : stored) === token) return last?.done ?? Promise.resolve();
      const entry = { token, done: inTurn(() => store(tokens, report)) };
      last = entry;
      return entry.done.then(() => {
        if (last === entry) last = undefined;
      });
    },
  };
}
