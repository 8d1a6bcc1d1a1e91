import { TokenEndpointError } from '../errors.js';
import { requiresSignIn } from '../internal/oauthErrors.js';
import { HEAD_START } from '../internal/sourceHooks.js';
import { stopwatch } from '../internal/stopwatch.js';
import type { TokenRequest, TokenResponse } from '../token/types.js';
import { abortedAfter, orAborted } from './abort.js';
import type { Queue } from './queue.js';
import type { RefreshTokenOptions } from './refreshToken.js';
import { rotationStore } from './rotationStore.js';
import { isOver, signInOnce, type Renewal } from './signIn.js';
import { singleFlight } from './singleFlight.js';
import { isMissing, supplied, type Supplied } from './source.js';
import type { TokenEndpoint } from './tokenEndpoint.js';

type Report = TokenRequest['report'];

/** A refresh that nobody waits for any more (a timeout, `close()`) has this long to bring its new refresh token. Milliseconds. */
const GRACE = 5_000;

export interface SessionOptions extends Pick<RefreshTokenOptions, 'onRotate' | 'reauthenticate'> {
  readonly refreshToken: Supplied;
  readonly endpoint: TokenEndpoint;
  /** The calls of `onRotate`. */
  readonly storing: Queue;
}

/** One user who is signed in: the refresh token and what goes on with it. */
export interface RefreshSession {
  fetch(request: TokenRequest): Promise<TokenResponse>;
  /** From now on the token of the exchange under way is revoked, if nobody waits for it when it comes. */
  revokeUnclaimed(): void;
}

export function refreshSession(options: SessionOptions): RefreshSession {
  const { refreshToken: given, onRotate, reauthenticate, endpoint, storing } = options;
  const store = rotationStore(onRotate, storing);
  let current: string | undefined;
  /** The refresh token that the stream's store held when it was last looked at. */
  let inStore: string | undefined;
  /** A token whose `onRotate` had not finished when nobody waited any more. */
  let unstored: Renewal | undefined;
  let revokesUnclaimed = false;
  /** The requests that wait for the exchange under way, each with the signal that ends its wait. */
  const waiting = new Map<TokenRequest, AbortSignal>();

  const read = (signal: AbortSignal) => supplied('refreshToken', given, signal);
  const stillWaiting = () => [...waiting].filter(([, signal]) => !signal.aborted);

  /** Takes the refresh token of a response into use, before anything else is done with that. What `reauthenticate` gives may be anything. */
  function adopt(response: TokenResponse | undefined, report: Report): Promise<void> {
    const fresh: unknown = response?.refresh_token;
    if (typeof fresh === 'string' && fresh !== '') current = fresh;
    return current === undefined
      ? Promise.resolve()
      : store.keep({ ...(response as TokenResponse), refresh_token: current }, report);
  }

  async function exchange(refresh_token: string, signal: AbortSignal, report: Report): Promise<Renewal> {
    let age = stopwatch();
    let rotated: string | undefined;
    try {
      const response = await endpoint.exchange('refresh_token', { refresh_token }, signal, {
        onSent: () => (age = stopwatch()),
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

  async function renew(signal: AbortSignal, report: Report): Promise<Renewal> {
    const signedIn = signIn?.result();
    if (signedIn) return orAborted(signedIn, signal);
    if (current === undefined) {
      try {
        store.wasRead((current = await read(signal)));
      } catch (failure) {
        // The first run. What cannot be read for another reason may still be good, and its user need not be asked.
        if (!signIn || signal.aborted || !isMissing(failure)) throw failure;
        return orAborted(signIn.begin(report), signal);
      }
    }
    try {
      return await exchange(current, signal, report);
    } catch (failure) {
      if (!mustSignIn(failure)) throw failure;
      const renewed = await renewByWhatIsStored(signal, report);
      if (renewed) return renewed;
      if (!signIn || signal.aborted) throw failure;
      return orAborted(signIn.begin(report), signal);
    }
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

  /** Tells each stream that waits of a failure; the one that began the exchange if none does. */
  const reportTo = (first: TokenRequest) => (failure: unknown) => {
    const requests = stillWaiting().map(([request]) => request);
    for (const each of requests.length > 0 ? requests : [first]) each.report?.(failure);
  };

  /** The store's refresh token counts only where it is news: else what is at hand is as good or newer. */
  function lookIntoStore(last: TokenResponse | null | undefined): void {
    const kept: unknown = last?.refresh_token;
    if (typeof kept === 'string' && kept !== '' && kept !== inStore) current = inStore = kept;
  }

  const refresh = singleFlight(async (signal, request: TokenRequest): Promise<Renewal> => {
    revokesUnclaimed = false;
    lookIntoStore(request.last);
    if (unstored && !isOver(unstored)) return unstored;
    const report = reportTo(request);
    const renewal = await renew(signal, report);
    // Bounded like the exchange itself: storage that hangs must not keep the token from its users for ever.
    await orAborted(adopt(renewal.response, report), signal).catch(() => {
      unstored = renewal;
      report(new Error('onRotate has not finished: the new refresh token is in use, but perhaps not stored'));
    });
    if (isDiscarded()) {
      endpoint.revoke((renewal.response as TokenResponse | undefined)?.access_token);
      wasDelivered();
    }
    return renewal;
  }, GRACE);

  const isDiscarded = () => revokesUnclaimed && stillWaiting().length === 0;

  /** Nobody needs another token that was kept. */
  function wasDelivered(): void {
    unstored = undefined;
    signIn?.wasDelivered();
  }

  return {
    fetch: async (request) => {
      const waited = stopwatch();
      // A store stays to keep what the exchange brings, and needs the refresh token even if the server did not send it again.
      const isShared = request.last !== undefined;
      const signal = isShared ? abortedAfter(request.signal, () => GRACE) : request.signal;
      waiting.set(request, signal);
      const { response, age } = await refresh(signal, request).finally(() => waiting.delete(request));
      wasDelivered();
      Reflect.defineProperty(request, HEAD_START, { value: Math.ceil(age() - waited()) });
      return isShared && current !== undefined ? { ...response, refresh_token: current } : response;
    },
    revokeUnclaimed: () => (revokesUnclaimed = true),
  };
}

const mustSignIn = (failure: unknown): boolean =>
  failure instanceof TokenEndpointError && requiresSignIn(failure.error);
