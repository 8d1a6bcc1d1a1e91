import { TokenEndpointError } from '../errors.js';
import { requiresSignIn } from '../internal/oauthErrors.js';
import { stopwatch } from '../internal/stopwatch.js';
import type { TokenRequest, TokenResponse } from '../token/types.js';
import { orAborted } from './abort.js';
import type { ForgottenTokens } from './forgottenTokens.js';
import type { Queue } from './queue.js';
import type { RefreshTokenOptions } from './refreshTokenOptions.js';
import { rotationStore } from './rotationStore.js';
import { signInOnce, type Renewal, type SignIn } from './signIn.js';
import { isMissing, NothingSupplied, supplied, type Supplied } from './source.js';
import type { TokenEndpoint } from './tokenEndpoint.js';

type Report = TokenRequest['report'];
type Adopt = (response: TokenResponse | undefined, report: Report) => Promise<void>;

export interface RotationOptions extends Pick<RefreshTokenOptions, 'refreshToken' | 'onRotate' | 'reauthenticate'> {
  readonly endpoint: TokenEndpoint;
  /** The calls of `onRotate`. */
  readonly storing: Queue;
  readonly forgotten: ForgottenTokens;
}

/** The refresh token of one session: it is used, replaced and stored, one step at a time. */
export interface Rotation {
  /** Takes the refresh token that the stream's store holds into use where it is news: else what is at hand is as good or newer. */
  lookIntoStore(last: TokenResponse | null | undefined): void;
  /** Gets a token: by the refresh token, or by a sign-in. */
  renew(signal: AbortSignal, report: Report): Promise<Renewal>;
  /** Takes the refresh token of a response into use and stores it, before anything else is done with the response. */
  readonly adopt: Adopt;
  /** The response with the refresh token that is to be used next. */
  complete(response: TokenResponse): TokenResponse;
  /** A request has got a token: no other one needs to be kept. */
  wasDelivered(): void;
  /** Forgets and revokes what is at hand. */
  forget(): void;
}

/** @param ended once it is aborted, nothing more is sent, used or stored; what still comes is revoked */
export function rotation(options: RotationOptions, ended: AbortSignal): Rotation {
  const { refreshToken: given, onRotate, reauthenticate, endpoint, storing, forgotten } = options;
  const store = rotationStore(onRotate, storing, ended);
  const reader = readerOf(given, forgotten);
  let current: string | undefined;
  /** The refresh token that the stream's store held when it was last looked at. */
  let inStore: string | undefined;

  // What `reauthenticate` gives may be anything.
  const adopt: Adopt = async (response, report) => {
    if (ended.aborted) {
      forgotten.revoke(response);
      return;
    }
    const fresh: unknown = response?.refresh_token;
    if (typeof fresh === 'string' && fresh !== '') current = fresh;
    if (current !== undefined) await store.keep({ ...(response as TokenResponse), refresh_token: current }, report);
  };

  const signIn =
    reauthenticate &&
    signInOnce(reauthenticate, endpoint.requireBound, (response, report) => void adopt(response, report));
  const exchange = exchangeBy(endpoint, adopt, ended);
  const renew = renewBy({
    signIn,
    exchange,
    ended,
    current: async (signal) => {
      if (current === undefined) store.wasRead((current = await reader.read(signal)));
      return current;
    },
    // Another process may have rotated what is stored. A string stays what it was: used, as soon as the server rotates.
    another: async (signal) => {
      const stored = typeof given === 'function' ? await reader.read(signal).catch(() => undefined) : undefined;
      if (stored === undefined || stored === store.current()) return undefined;
      store.wasRead((current = stored));
      return stored;
    },
  });

  return {
    renew,
    adopt,
    lookIntoStore: (last) => {
      const kept: unknown = last?.refresh_token;
      if (typeof kept !== 'string' || kept === '' || kept === inStore || forgotten.has(kept)) return;
      current = inStore = kept;
    },
    complete: (response) => (current === undefined ? response : { ...response, refresh_token: current }),
    wasDelivered: () => signIn?.wasDelivered(),
    forget: () => {
      forgotten.revoke({ refresh_token: current ?? (typeof given === 'string' ? given : undefined) });
      forgotten.add(given, reader.last(), inStore);
      forgotten.revoke(signIn?.kept()?.response);
    },
  };
}

/** Reads the refresh token that the options give. */
function readerOf(given: Supplied, forgotten: ForgottenTokens) {
  let last: string | undefined;
  return {
    last: () => last,
    read: async (signal: AbortSignal): Promise<string> => {
      const token = await supplied('refreshToken', given, signal);
      if (forgotten.has(token)) throw new NothingSupplied('the refresh token is that of a session which has ended');
      return (last = token);
    },
  };
}

type Exchange = (refreshToken: string, signal: AbortSignal, report: Report) => Promise<Renewal>;

/** The exchange of a refresh token. A new one in an answer that is refused is adopted all the same: the old one is used up. */
const exchangeBy =
  (endpoint: TokenEndpoint, adopt: Adopt, ended: AbortSignal): Exchange =>
  async (refresh_token, signal, report) => {
    let age = stopwatch();
    let rotated: string | undefined;
    try {
      const response = await endpoint.exchange('refresh_token', { refresh_token }, signal, {
        onSent: () => {
          ended.throwIfAborted();
          age = stopwatch();
        },
        onRotatedInRefusal: (token) => (rotated = token),
      });
      return { response, age };
    } catch (failure) {
      if (rotated !== undefined)
        await orAborted(adopt({ access_token: '', refresh_token: rotated }, report), signal).catch(() => undefined);
      throw failure;
    }
  };

interface Ways {
  readonly signIn: SignIn | undefined;
  readonly exchange: Exchange;
  readonly ended: AbortSignal;
  /** The refresh token in use; it is read if there is none. */
  readonly current: (signal: AbortSignal) => Promise<string>;
  /** Another refresh token, if what is stored is one. */
  readonly another: (signal: AbortSignal) => Promise<string | undefined>;
}

/** Decides how a token is got: by the refresh token, by another that is stored, by a sign-in. */
function renewBy({ signIn, exchange, ended, current, another }: Ways): Rotation['renew'] {
  async function signInAgain(failure: unknown, signal: AbortSignal, report: Report): Promise<Renewal> {
    if (!signIn || signal.aborted || ended.aborted) throw failure;
    return orAborted(signIn.begin(report), signal);
  }

  return async (signal, report) => {
    const signedIn = signIn?.result();
    if (signedIn) return orAborted(signedIn, signal);
    let refreshToken: string | undefined;
    try {
      refreshToken = await current(signal);
    } catch (failure) {
      // What cannot be read for another reason may still be good, and its user need not be asked.
      if (!isMissing(failure)) throw failure;
      return signInAgain(noRefreshToken(failure), signal, report);
    }
    for (let attempt = 1; ; attempt++) {
      try {
        return await exchange(refreshToken, signal, report);
      } catch (failure) {
        if (ended.aborted || !mustSignIn(failure)) throw failure;
        // Once: a function that gives another one each time must not be asked for ever.
        refreshToken = attempt === 1 ? await another(signal) : undefined;
        if (refreshToken === undefined) return await signInAgain(failure, signal, report);
      }
    }
  };
}

const mustSignIn = (failure: unknown): boolean =>
  failure instanceof TokenEndpointError && requiresSignIn(failure.error);

const noRefreshToken = (cause: unknown): TokenEndpointError =>
  new TokenEndpointError('there is no refresh token: the user must sign in', { error: 'login_required', cause });
