import { firstValueFrom, from, type ObservableInput } from 'rxjs';
import { TokenEndpointError } from '../errors.js';
import type { TokenRequest, TokenResponse, TokenSource } from '../token/types.js';
import type { OAuthOptions } from './options.js';
import { orAborted } from './orAborted.js';
import { redactedCause } from './redact.js';
import { sharedFlight } from './sharedFlight.js';
import { checkSupplied, finished, supplied, withHooks, type Supplied } from './source.js';
import { tokenEndpoint } from './tokenEndpoint.js';

/** A token response whose refresh token is the one to keep: the new one, or the old one that stays valid. */
export type RotatedTokens = TokenResponse & { refresh_token: string };

export interface RefreshTokenOptions extends OAuthOptions {
  /** The refresh token to start from, or a function that reads it when it is first needed. */
  refreshToken: Supplied;
  /**
   * Stores the new refresh token. It is awaited before anyone sees the new access token, so that a crash never leaves
   * only a used one behind. When it fails the new token stays in use, the failure is reported as an event, and the
   * next refresh stores again.
   */
  // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- a callback that stores at once returns nothing
  onRotate?: (tokens: RotatedTokens) => ObservableInput<unknown> | void;
  /** Gets tokens in another way (asks the user, say) when the server refuses the refresh token with `invalid_grant`. */
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
 * @throws {@link !TypeError} at creation, when an option is missing or out of range; it never quotes a secret.
 * The source itself fails with `TokenEndpointError` or `InvalidTokenResponseError`, which hold no secret.
 * `invalid_grant` is permanent: the user must sign in again.
 */
export function refreshToken(options: RefreshTokenOptions): TokenSource {
  const { onRotate, reauthenticate } = options;
  checkSupplied('refreshToken', options.refreshToken);
  checkFunction('onRotate', onRotate);
  checkFunction('reauthenticate', reauthenticate);
  const endpoint = tokenEndpoint(options);
  let current: string | undefined;
  let stored: string | undefined;

  const read = (signal: AbortSignal) => orAborted(supplied('refreshToken', options.refreshToken), signal);

  async function renew(signal: AbortSignal): Promise<TokenResponse> {
    current ??= stored = await read(signal);
    try {
      return await endpoint.exchange('refresh_token', { refresh_token: current }, signal);
    } catch (failure) {
      if (!(failure instanceof TokenEndpointError) || failure.error !== 'invalid_grant') throw failure;
      // Another process may have rotated what is stored. A string stays what it was: used, as soon as the server rotates.
      const elsewhere = typeof options.refreshToken === 'function' ? await read(signal) : stored;
      if (elsewhere !== stored) {
        current = stored = elsewhere;
        return endpoint.exchange('refresh_token', { refresh_token: current }, signal);
      }
      if (!reauthenticate) throw failure;
      return orAborted(firstValueFrom(from(reauthenticate())), signal);
    }
  }

  async function refresh(signal: AbortSignal, { report }: TokenRequest): Promise<TokenResponse> {
    const response = await renew(signal);
    // What `reauthenticate` gives may be anything: the stream judges it.
    const given: unknown = (response as Partial<TokenResponse> | undefined)?.refresh_token;
    const next = typeof given === 'string' && given !== '' ? given : current;
    current = next;
    if (!onRotate || next === undefined || next === stored) return response;
    try {
      // Bounded like the exchange itself: storage that hangs must not keep the token from its users for ever.
      await orAborted(finished(onRotate({ ...response, refresh_token: next })), signal);
      stored = next;
    } catch (failure) {
      report?.(new Error('onRotate failed: the new refresh token is in use, but not stored', { cause: redactedCause(failure) }));
    }
    return response;
  }

  const flight = sharedFlight(refresh, GRACE);
  return withHooks((request) => flight(request.signal, request), endpoint.hooks);
}

function checkFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw new TypeError(`option "${name}" must be a function, got ${typeof value}`);
}
