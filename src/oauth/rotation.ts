import { TokenEndpointError } from '../errors.js';
import { requiresSignIn } from '../internal/oauthErrors.js';
import { stopwatch } from '../internal/stopwatch.js';
import type { TokenRequest, TokenResponse } from '../token/types.js';
import { orAborted } from './abort.js';
import type { Queue } from './queue.js';
import type { RefreshTokenOptions } from './refreshToken.js';
import { rotationStore } from './rotationStore.js';
import { signInOnce, type Renewal } from './signIn.js';
import { isMissing, NothingSupplied, supplied } from './source.js';
import type { TokenEndpoint } from './tokenEndpoint.js';

type Report = TokenRequest['report'];

export interface RotationOptions extends Pick<RefreshTokenOptions, 'refreshToken' | 'onRotate' | 'reauthenticate'> {
  readonly endpoint: TokenEndpoint;
  /** The calls of `onRotate`. */
  readonly storing: Queue;
  /** The tokens of sessions that have ended: they are not used again. */
  readonly forgotten: Set<string>;
}

/** The refresh token of one session: it is used, replaced and stored, one step at a time. */
export interface Rotation {
  /** Takes the refresh token that the stream's store holds into use where it is news: else what is at hand is as good or newer. */
  lookIntoStore(last: TokenResponse | null | undefined): void;
  /** Gets a token: by the refresh token, or by a sign-in. */
  renew(signal: AbortSignal, report: Report): Promise<Renewal>;
  /** Takes the refresh token of a response into use and stores it, before anything else is done with the response. */
  adopt(response: TokenResponse | undefined, report: Report): Promise<void>;
  /** The response with the refresh token that is to be used next. */
  complete(response: TokenResponse): TokenResponse;
  /** A request has got a token: no other one needs to be kept. */
  wasDelivered(): void;
  /** Revokes what came for a session that has ended. */
  discard(response: Partial<TokenResponse> | undefined): void;
  /** Forgets and revokes what is at hand. */
  forget(): void;
}

/** @param ended once it is aborted, nothing more is sent, used or stored; what still comes is revoked */
export function rotation(options: RotationOptions, ended: AbortSignal): Rotation {
  const { refreshToken: given, onRotate, reauthenticate, endpoint, storing, forgotten } = options;
  const store = rotationStore(onRotate, storing, ended);
  let current: string | undefined;
  let lastRead: string | undefined;
  /** The refresh token that the stream's store held when it was last looked at. */
  let inStore: string | undefined;

  async function read(signal: AbortSignal): Promise<string> {
    const token = await supplied('refreshToken', given, signal);
    if (forgotten.has(token)) throw new NothingSupplied('the refresh token is that of a session which has ended');
    return (lastRead = token);
  }

  // What `reauthenticate` gives may be anything.
  async function adopt(response: TokenResponse | undefined, report: Report): Promise<void> {
    if (ended.aborted) {
      discard(response);
      return;
    }
    const fresh: unknown = response?.refresh_token;
    if (typeof fresh === 'string' && fresh !== '') current = fresh;
    if (current !== undefined) await store.keep({ ...(response as TokenResponse), refresh_token: current }, report);
  }

  async function exchange(refresh_token: string, signal: AbortSignal, report: Report): Promise<Renewal> {
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
  }

  const signIn =
    reauthenticate &&
    signInOnce(reauthenticate, endpoint.requireBound, (response, report) => void adopt(response, report));

  async function signInAgain(failure: unknown, signal: AbortSignal, report: Report): Promise<Renewal> {
    if (!signIn || signal.aborted || ended.aborted) throw failure;
    return orAborted(signIn.begin(report), signal);
  }

  /** Another process may have rotated what is stored. A string stays what it was: used, as soon as the server rotates. */
  async function renewByWhatIsStored(signal: AbortSignal, report: Report): Promise<Renewal | undefined> {
    const stored = typeof given === 'function' ? await read(signal).catch(() => undefined) : undefined;
    if (stored === undefined || stored === store.current()) return undefined;
    store.wasRead((current = stored));
    return exchange(current, signal, report).catch((failure: unknown) => {
      if (!signIn || !mustSignIn(failure)) throw failure;
      return undefined;
    });
  }

  async function renew(signal: AbortSignal, report: Report): Promise<Renewal> {
    const signedIn = signIn?.result();
    if (signedIn) return orAborted(signedIn, signal);
    if (current === undefined) {
      try {
        store.wasRead((current = await read(signal)));
      } catch (failure) {
        // What cannot be read for another reason may still be good, and its user need not be asked.
        if (!isMissing(failure)) throw failure;
        return signInAgain(noRefreshToken(failure), signal, report);
      }
    }
    try {
      return await exchange(current, signal, report);
    } catch (failure) {
      if (ended.aborted || !mustSignIn(failure)) throw failure;
      return (await renewByWhatIsStored(signal, report)) ?? (await signInAgain(failure, signal, report));
    }
  }

  function discard(response: Partial<TokenResponse> | undefined): void {
    revokeOnce(response?.refresh_token, 'refresh_token');
    revokeOnce(response?.access_token, 'access_token');
  }

  function revokeOnce(token: string | undefined, hint: 'access_token' | 'refresh_token'): void {
    if (token === undefined || forgotten.has(token)) return;
    forgotten.add(token);
    endpoint.revoke(token, hint);
  }

  return {
    lookIntoStore: (last) => {
      const kept: unknown = last?.refresh_token;
      if (typeof kept !== 'string' || kept === '' || kept === inStore || forgotten.has(kept)) return;
      current = inStore = kept;
    },
    renew,
    adopt,
    complete: (response) => (current === undefined ? response : { ...response, refresh_token: current }),
    wasDelivered: () => signIn?.wasDelivered(),
    discard,
    forget: () => {
      revokeOnce(current ?? (typeof given === 'string' ? given : undefined), 'refresh_token');
      for (const token of [given, lastRead, inStore]) if (typeof token === 'string') forgotten.add(token);
      signIn?.result()?.then(
        ({ response }) => {
          discard(response);
        },
        () => undefined,
      );
    },
  };
}

const mustSignIn = (failure: unknown): boolean =>
  failure instanceof TokenEndpointError && requiresSignIn(failure.error);

const noRefreshToken = (cause: unknown): TokenEndpointError =>
  new TokenEndpointError('there is no refresh token: the user must sign in', { error: 'login_required', cause });
