import { TokenUnavailableError } from '../errors.js';
import { HEAD_START } from '../internal/sourceHooks.js';
import { stopwatch } from '../internal/stopwatch.js';
import type { TokenRequest, TokenResponse } from '../token/types.js';
import { orAborted, outliving } from './abort.js';
import { renewalBy, type RenewalOptions } from './renewal.js';
import { isOver, type Renewal } from './signIn.js';
import { singleFlight } from './singleFlight.js';

/**
 * A refresh for which no request waits any more (a timeout, `close()`) has this long to bring its new refresh token.
 * Milliseconds.
 */
const GRACE = 5_000;

/** One user who is signed in, and the requests that wait for a token of theirs. */
export function refreshSession(options: RenewalOptions) {
  const { endpoint, forgotten } = options;
  const ending = new AbortController();
  const ended = ending.signal;
  const { renew, refreshToken, signIn } = renewalBy(options, ended);
  const waiters = createWaiters();
  /** A token whose `onRotate` had not finished when no request waited any more. */
  let unstored: Renewal | undefined;
  let revokesUndelivered = false;
  const isUndelivered = () => revokesUndelivered && waiters.isEmpty();

  const refresh = singleFlight(async (signal, request: TokenRequest): Promise<Renewal> => {
    revokesUndelivered = false;
    refreshToken.takeFromStore(request.last);
    if (unstored && !isOver(unstored)) return unstored;
    const report = waiters.reportTo(request);
    const renewal = await renew(signal, report);
    // Bounded like the exchange itself: storage that hangs must not keep the token from its users for ever.
    await orAborted(refreshToken.replace(renewal.response, report), signal).catch(() => {
      unstored = renewal;
      report(new Error('onRotate has not finished: the new refresh token is in use, but perhaps not stored'));
    });
    if (ended.aborted) forgotten.revoke(renewal.response);
    else if (isUndelivered()) {
      endpoint.revoke(renewal.response.access_token);
      dropKept();
    }
    return renewal;
  }, GRACE);

  /** A token has been delivered or revoked: no other one needs to be kept. */
  function dropKept(): void {
    unstored = undefined;
    signIn?.dropKept();
  }

  return {
    fetch: async (request: TokenRequest): Promise<TokenResponse> => {
      const waited = stopwatch();
      // A store waits longer in order to keep what the exchange brings, and needs the refresh token even if the server
      // did not send it again.
      const isShared = request.last !== undefined;
      const join = (signal: AbortSignal) =>
        waiters.during(request, signal, () => orAborted(refresh(signal, request), ended));
      const { response, age } = await (isShared ? outliving(request.signal, () => GRACE, join) : join(request.signal));
      dropKept();
      Reflect.defineProperty(request, HEAD_START, { value: Math.ceil(age() - waited()) });
      return isShared ? refreshToken.addTo(response) : response;
    },
    /** From now on the token of the exchange under way is revoked, if no request waits for it when it comes. */
    revokeUndelivered: () => (revokesUndelivered = true),
    /**
     * The user signs out. What the session holds, and what still comes, is forgotten and revoked: it is neither stored
     * nor handed out. Requests that wait get an error. A sign-in under way is not awaited.
     *
     * @param accessToken the one that the stream holds
     */
    end: (accessToken: string | undefined) => {
      ending.abort(new TokenUnavailableError('the user has signed out'));
      refreshToken.forget();
      forgotten.revoke(signIn?.kept()?.response);
      forgotten.revoke({ access_token: accessToken });
      forgotten.revoke(unstored?.response);
    },
  };
}

/** The requests that wait for the exchange under way, each with the signal that ends its wait. */
function createWaiters() {
  const waiting = new Map<TokenRequest, AbortSignal>();
  const current = () => [...waiting].filter(([, signal]) => !signal.aborted).map(([request]) => request);
  return {
    isEmpty: () => current().length === 0,
    during: <T>(request: TokenRequest, signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
      waiting.set(request, signal);
      return work().finally(() => waiting.delete(request));
    },
    /** Tells each stream that waits of a failure; the one that began the exchange if none does. */
    reportTo: (first: TokenRequest) => (failure: unknown) => {
      const requests = current();
      for (const each of requests.length > 0 ? requests : [first]) each.report?.(failure);
    },
  };
}
