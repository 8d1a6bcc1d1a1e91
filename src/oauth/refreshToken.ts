import type { ObservableInput } from 'rxjs';
import { TokenEndpointError } from '../errors.js';
import { requiresSignIn } from '../internal/oauthErrors.js';
import { HEAD_START, ON_CLOSE } from '../internal/sourceHooks.js';
import type { SourceHooks } from '../token/proof.js';
import type { TokenRequest, TokenResponse, TokenSource } from '../token/types.js';
import { requireOptions } from './checkOptions.js';
import type { OAuthOptions } from './options.js';
import { orAborted } from './orAborted.js';
import { rotationStore } from './rotationStore.js';
import { abortedLater, sharedChain } from './sharedChain.js';
import { sharedFlight } from './sharedFlight.js';
import { isOver, soleSignIn, type Renewal } from './signIn.js';
import { checkSupplied, isMissing, supplied, withHooks, type Supplied } from './source.js';
import { stopwatch } from '../internal/stopwatch.js';
import { tokenEndpoint } from './tokenEndpoint.js';

/**
 * A token response whose refresh token is the one to keep: the new one, or the old one that stays valid. Where the answer was
 * no good but for its refresh token, `access_token` is empty.
 */
export type RotatedTokens = TokenResponse & { refresh_token: string };

export interface RefreshTokenOptions extends OAuthOptions {
  /** The refresh token to start from, or a function that reads it when it is first needed. */
  refreshToken: Supplied;
  /**
   * Stores the new refresh token. It is awaited before anyone sees the new access token, so that a crash never leaves
   * only a used one behind; and it is never called again before it has finished. When it fails the new token stays in
   * use, the failure is reported as an event, and the next refresh stores again.
   */
  // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- a callback that stores at once returns nothing
  onRotate?: (tokens: RotatedTokens) => ObservableInput<unknown> | void;
  /**
   * Gets tokens in another way (asks the user, say) when the server says that the user must sign in (`invalid_grant` and its
   * dialects such as GitHub's `bad_refresh_token`, `login_required`, `interaction_required`, `consent_required`), or when
   * `refreshToken` is a function that has none yet: it gives nothing, or fails with the code ENOENT. It may
   * take its time: it is called once for all who ask meanwhile, and what it gives is kept even if nobody waits any more.
   * The life of the access token that it gives counts from when it was called.
   */
  reauthenticate?: () => ObservableInput<TokenResponse>;
}

/** A refresh that nobody waits for any more (a timeout, `close()`) has this long to bring its new refresh token home. Milliseconds. */
const GRACE = 5_000;

/**
 * A token for a user who signed in before (RFC 6749 section 6). The server may replace the refresh token with each use
 * and revoke everything when an old one comes back (RFC 9700 section 4.14.2): so there is one exchange at a time,
 * however often the source is called, and one that was begun is brought to its end even if its caller leaves.
 *
 * ```ts
 * const vault = fileTokenVault('token.json');
 * const token$ = createTokenStream(refreshToken({
 *   issuer: 'https://id.example.com', clientId: 'cli', clientAuth: 'none',
 *   refreshToken: vault.read, onRotate: vault.write,
 * }));
 * ```
 *
 * Several processes that share a store (`rx-fresh-token/redis`) rotate one chain: the refresh token lies in the store with
 * the access token, and `refreshToken` is only what the first of them begins with. Seal it there (`encryptionKey`).
 *
 * @throws {@link !TypeError} at creation, when an option is missing or out of range; it never quotes a secret.
 * The source itself fails with `TokenEndpointError` or `InvalidTokenResponseError`, which hold no secret.
 * `invalid_grant` and its dialects are permanent: the user must sign in again.
 */
export function refreshToken(options: RefreshTokenOptions): TokenSource {
  requireOptions('refreshToken', options);
  const { refreshToken: given, onRotate, reauthenticate } = options;
  checkSupplied('refreshToken', given);
  checkFunction('onRotate', onRotate);
  checkFunction('reauthenticate', reauthenticate);
  const endpoint = tokenEndpoint(options);
  const store = rotationStore(onRotate);
  let current: string | undefined;
  /** A token that was held back for storage that hangs, until nobody waited any more. */
  let withheld: Renewal | undefined;
  const chain = sharedChain();
  /** The requests that wait for the exchange under way. */
  const passengers = new Set<TokenRequest>();

  const read = (signal: AbortSignal) => supplied('refreshToken', given, signal);

  /** Takes up the refresh token of a response, before anything else is done with that. What `reauthenticate` gives may be anything. */
  function adopt(response: TokenResponse | undefined, report: TokenRequest['report']): Promise<void> {
    const fresh: unknown = response?.refresh_token;
    if (typeof fresh === 'string' && fresh !== '') current = fresh;
    return current === undefined
      ? Promise.resolve()
      : store.keep({ ...(response as TokenResponse), refresh_token: current }, report);
  }

  async function exchange(
    refresh_token: string,
    signal: AbortSignal,
    report: TokenRequest['report'],
  ): Promise<Renewal> {
    let age = stopwatch();
    let salvaged: string | undefined;
    try {
      const response = await endpoint.exchange('refresh_token', { refresh_token }, signal, {
        onSent: () => (age = stopwatch()),
        onSalvaged: (token) => (salvaged = token),
      });
      return { response, age };
    } catch (failure) {
      if (salvaged !== undefined)
        await orAborted(adopt({ access_token: '', refresh_token: salvaged }, report), signal).catch(() => undefined);
      throw failure;
    }
  }

  const signIn =
    reauthenticate && soleSignIn(reauthenticate, endpoint.vet, (response, report) => void adopt(response, report));

  async function renew(signal: AbortSignal, report: TokenRequest['report']): Promise<Renewal> {
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
      // Another process may have rotated what is stored. A string stays what it was: used, as soon as the server rotates.
      const elsewhere = typeof given === 'function' ? await read(signal).catch(() => undefined) : undefined;
      if (elsewhere !== undefined && elsewhere !== store.current()) {
        store.wasRead((current = elsewhere));
        const renewed = await exchange(current, signal, report).catch((again: unknown) => {
          if (!signIn || !mustSignIn(again)) throw again;
        });
        if (renewed) return renewed;
      }
      if (!signIn || signal.aborted) throw failure;
      return orAborted(signIn.begin(report), signal);
    }
  }

  /** Tells each stream that waits of a failure; the one that began it if none does. */
  const reportTo = (first: TokenRequest) => (failure: unknown) => {
    const waiting = [...passengers].filter(({ signal }) => !signal.aborted);
    for (const each of waiting.length > 0 ? waiting : [first]) each.report?.(failure);
  };

  async function refresh(signal: AbortSignal, request: TokenRequest): Promise<Renewal> {
    current = chain.moved(request.last) ?? current;
    if (withheld && !isOver(withheld)) return withheld;
    const report = reportTo(request);
    const renewal = await renew(signal, report);
    // Bounded like the exchange itself: storage that hangs must not keep the token from its users for ever.
    await orAborted(adopt(renewal.response, report), signal).catch(() => {
      withheld = renewal;
      report(new Error('onRotate has not finished: the new refresh token is in use, but perhaps not stored'));
    });
    return renewal;
  }

  /** Nobody needs another token that was kept. */
  const served = () => {
    withheld = undefined;
    signIn?.served();
  };
  const flight = sharedFlight(refresh, GRACE, ({ response }, last) => {
    if (endpoint.disown(response, last)) served();
  });
  const { [ON_CLOSE]: onClose } = endpoint.hooks;
  const hooks: SourceHooks = {
    ...endpoint.hooks,
    // Between two attempts the stream has no request, but what the last one began may be on its way still.
    ...(onClose && {
      [ON_CLOSE]: (token, pending) => {
        onClose(token, pending ?? flight.deserter());
      },
    }),
  };
  return withHooks(async (request) => {
    const waited = stopwatch();
    // A store stays to keep what the exchange brings, and keeps the chain: it needs the refresh token even if the server did not send it again.
    const isShared = request.last !== undefined;
    passengers.add(request);
    const boarded = flight.board(isShared ? abortedLater(request.signal, GRACE) : request.signal, request);
    const { response, age } = await boarded.finally(() => passengers.delete(request));
    served();
    Reflect.defineProperty(request, HEAD_START, { value: Math.ceil(age() - waited()) });
    return isShared && current !== undefined ? { ...response, refresh_token: current } : response;
  }, hooks);
}

const mustSignIn = (failure: unknown): boolean =>
  failure instanceof TokenEndpointError && requiresSignIn(failure.error);

function checkFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function')
    throw new TypeError(`option "${name}" must be a function, got ${typeof value}`);
}
