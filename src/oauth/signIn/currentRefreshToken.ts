/** The refresh token to send: the given one, or the one that rotation has put in its place. */
import { asyncScheduler, lastValueFrom, takeUntil } from 'rxjs';
import { asObservable } from '../../internal/async/observableOf.js';
import { createTimers, failAfter } from '../../internal/time/timers.js';
import type { TokenRequest, TokenResponse } from '../../token/types.js';
import type { ForgottenTokens } from '../endpoint/revoke.js';
import type { Queue } from '../../internal/async/queue.js';
import { redactedCause } from '../endpoint/redact.js';
import { refuseControlCharacters, trimmed } from '../checks/textOption.js';
import type { RefreshTokenOptions, RotatedTokens } from '../options.js';
import { NothingSupplied, supplied, type Supplied } from '../checks/supplied.js';

export type Report = TokenRequest['report'];

export interface CurrentRefreshTokenOptions extends Pick<RefreshTokenOptions, 'refreshToken' | 'onRotate'> {
  /** Calls `onRotate` one after another, so that a slow call never writes an old refresh token over a newer. */
  readonly inTurn: Queue;
  readonly forgotten: ForgottenTokens;
}

export type CurrentRefreshToken = ReturnType<typeof createCurrentRefreshToken>;

/** So many refresh tokens that were in use are remembered. A store of a stream may be that far behind. */
const REMEMBERED = 100;

/** A call of `onRotate` that takes longer blocks no other one. Milliseconds. */
const LONGEST_CALL = 30_000;

/**
 * The refresh token of one session: which one is used next, and what is stored of it.
 *
 * @param ended once it is aborted, nothing more is used or stored; what still comes is revoked
 */
export function createCurrentRefreshToken(options: CurrentRefreshTokenOptions, ended: AbortSignal) {
  const { refreshToken: given, forgotten } = options;
  const storage = createStorage(options, ended);
  const history: TokenHistory = { given, current: undefined, used: new Set(), lastRead: undefined };
  /** Whether a stream has a `TokenStore`, which gives one, too. */
  let isShared = false;

  /** Takes the refresh token of a response, and stores it. Settles when that is done; a failure is reported. */
  async function takeFrom(response: TokenResponse, report: Report): Promise<void> {
    if (ended.aborted) {
      forgotten.revoke(response);
      return;
    }
    const token = trimmed(response.refresh_token);
    if (token) use(history, token);
    const { current: refresh_token } = history;
    if (refresh_token !== undefined) await storage.keep({ ...response, refresh_token }, report);
  }

  return {
    /** The refresh token in use; it is read if there is none. */
    get: async (signal: AbortSignal): Promise<string> =>
      history.current ?? use(history, storage.wasRead(await read(history, forgotten, signal))),
    /** Reads again, since another process may have rotated. @returns the refresh token that is stored, if it is new */
    getChanged: async (signal: AbortSignal, mustSignIn: boolean): Promise<string | undefined> => {
      // If the stream has a store too, the function may return a used refresh token. To send that could end the
      // session.
      if (typeof given !== 'function' || (!mustSignIn && isShared)) return undefined;
      const before = known(history);
      const token = await read(history, forgotten, signal).catch(() => undefined);
      return token === undefined || before.includes(token) ? undefined : use(history, storage.wasRead(token));
    },
    /** Takes the refresh token that the stream's `TokenStore` has. @returns whether it is new */
    takeFromStore: (last: TokenResponse | null | undefined): boolean => {
      const token = trimmed(last?.refresh_token);
      if (!token || forgotten.has(token)) return false;
      const isNew = !known(history).includes(token);
      if (isNew) use(history, token);
      isShared = true;
      return isNew;
    },
    takeFrom,
    /** As `takeFrom`, after a sign-in. If that brings no refresh token, the refused one is not sent again. */
    takeFromSignIn: (refused: string | undefined, response: TokenResponse, report: Report): Promise<void> => {
      if (!trimmed(response.refresh_token) && history.current === refused) drop(history, forgotten);
      return takeFrom(response, report);
    },
    /** The response with the refresh token that is to be used next. */
    addTo: (response: TokenResponse): TokenResponse => {
      const { current: refresh_token } = history;
      return refresh_token === undefined ? response : { ...response, refresh_token };
    },
    /** Revokes the refresh token in use; none that was read is used again. */
    forget: (): void => {
      forgotten.revoke({ refresh_token: history.current ?? (typeof given === 'string' ? given : undefined) });
      drop(history, forgotten);
    },
  };
}

/** The refresh tokens that one session has had. Data and functions: a pool has one for each key. */
interface TokenHistory {
  /** The option `refreshToken`. */
  readonly given: Supplied;
  /** The one in use. */
  current: string | undefined;
  /** The last ones in use, `current` too. */
  readonly used: Set<string>;
  /** The last one that the function `refreshToken` gave. */
  lastRead: string | undefined;
}

/** None of these counts as new when a store or the function gives it again: it may be used up. */
const known = ({ given, lastRead, used }: TokenHistory) => [given, lastRead, ...used];

function use(history: TokenHistory, token: string): string {
  const { used } = history;
  used.add(token);
  const [oldest = token] = used;
  if (used.size > REMEMBERED) used.delete(oldest);
  return (history.current = token);
}

/** What the option `refreshToken` gives now. */
async function read(history: TokenHistory, forgotten: ForgottenTokens, signal: AbortSignal): Promise<string> {
  const token = await supplied('refreshToken', history.given, signal);
  refuseControlCharacters('refreshToken', token); // the server would say that the user must sign in
  if (forgotten.has(token)) throw new NothingSupplied('the refresh token is that of a session which has ended');
  return (history.lastRead = token);
}

/** From now on none of these is used, whoever gives it. */
function drop(history: TokenHistory, forgotten: ForgottenTokens): void {
  forgotten.add(...known(history));
  history.current = undefined;
}

/** Where `onRotate` writes and `refreshToken` reads. */
function createStorage({ onRotate, inTurn }: CurrentRefreshTokenOptions, ended: AbortSignal) {
  /** The refresh token that is stored, as far as it is known. */
  let stored: string | undefined;
  /** The last call of `onRotate` that has begun or waits for its turn. */
  let storing: { readonly token: string; readonly done: Promise<void> } | undefined;

  async function store(tokens: RotatedTokens, report: Report): Promise<void> {
    if (ended.aborted) return;
    try {
      const stored$ = asObservable(onRotate?.(tokens));
      const late$ = failAfter(createTimers(asyncScheduler), LONGEST_CALL, () => new Error('it takes longer than 30 s'));
      if (stored$) await lastValueFrom(stored$.pipe(takeUntil(late$)), { defaultValue: undefined });
      stored = tokens.refresh_token;
    } catch (failure) {
      const cause = redactedCause(failure);
      report?.(new Error('onRotate failed: the new refresh token is in use, but not stored', { cause }));
    }
  }

  return {
    /**
     * Notes that the function `refreshToken` returned it, so it is stored. Only for a new one: a function that keeps it
     * in memory returns it even if `onRotate` failed.
     */
    wasRead: (token: string): string => (stored = token),
    keep: async (tokens: RotatedTokens, report: Report): Promise<void> => {
      const token = tokens.refresh_token;
      if (!onRotate || (storing?.token ?? stored) === token) return storing?.done;
      const begun = { token, done: inTurn(() => store(tokens, report)) };
      storing = begun;
      await begun.done.finally(() => {
        if (storing === begun) storing = undefined;
      });
    },
  };
}
