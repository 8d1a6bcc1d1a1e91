/** The public types of the options that all sources share, and of those of `refreshToken`. */
import type { ObservableInput } from 'rxjs';
import type { CryptoKey, CryptoKeyPair } from '../internal/platform/platformTypes.js';
import type { TokenFields, TokenResponse } from '../token/types.js';
import type { Supplied } from './checks/supplied.js';

/** How the client authenticates (RFC 6749 section 2.3, RFC 7523 section 2.2, RFC 8705 section 2). */
export type ClientAuthMethod = (typeof CLIENT_AUTH)[number];

export const CLIENT_AUTH = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'tls_client_auth',
  'none',
] as const;

/**
 * What every source of `rx-fresh-token/oauth` takes. `undefined` means the default; a value out of range is a TypeError
 * at creation.
 */
export interface OAuthOptions {
  /**
   * The authorization server's issuer identifier: its metadata is discovered (OpenID Connect Discovery 1.0, else
   * RFC 8414). Either this or `tokenEndpoint`. `https:`, or `http:` on loopback; see `allowInsecureRequests`.
   */
  issuer?: string | URL | undefined;
  /** The token endpoint, without discovery. Either this or `issuer`. `https:`, or `http:` on loopback. */
  tokenEndpoint?: string | URL | undefined;
  /** The revocation endpoint (RFC 7009), for `revokeOnClose` and `signOut()`, if there is no `issuer`. */
  revocationEndpoint?: string | URL | undefined;
  /** The client's identifier. Not empty. */
  clientId: string;
  /**
   * Needed by `client_secret_basic` and `client_secret_post`. It may be empty if `clientAuth` is given as
   * `client_secret_basic`.
   */
  clientSecret?: string | undefined;
  /**
   * Default `client_secret_basic`, or `private_key_jwt` where a `clientAssertion`, or a `privateKey` without a
   * `clientSecret`, is given. `tls_client_auth` needs a `fetch` that presents the client certificate, and uses the
   * `mtls_endpoint_aliases` of a discovered server.
   */
  clientAuth?: ClientAuthMethod | undefined;
  /** For `private_key_jwt`: a private key that may sign, with its `kid` if the server tells keys apart. */
  privateKey?: CryptoKey | { readonly key: CryptoKey; readonly kid?: string | undefined } | undefined;
  /**
   * For `private_key_jwt`, instead of `privateKey`: the signed assertion (RFC 7523 section 2.2), if it is made
   * elsewhere. A function is called for each request.
   */
  clientAssertion?: Supplied | undefined;
  /** Scopes, separated by spaces. Default: what the server grants by itself. */
  scope?: string | undefined;
  /** The API or APIs that the token is for: absolute URIs without a fragment (RFC 8707). */
  resource?: string | readonly string[] | undefined;
  /** The API or APIs that the token is for, by name (RFC 8693 section 2.1; Auth0 and others for every grant). */
  audience?: string | readonly string[] | undefined;
  /** More form parameters, if your server needs them. They cannot replace those of the grant. */
  parameters?: Readonly<Record<string, string>> | undefined;
  /**
   * Sends the requests: for a proxy, a client certificate, a test. Default `globalThis.fetch`. With `redirect:
   * 'manual'` it must not follow redirects.
   */
  fetch?: typeof globalThis.fetch | undefined;
  /**
   * Binds the tokens to a key (RFC 9449), so that a stolen token is useless. `true` makes a key pair for this source.
   * Give your own key pair if the stream has a store, or a public client should use its refresh token after a restart.
   * Default false.
   */
  dpop?: boolean | CryptoKeyPair | undefined;
  /**
   * Allows plain `http:` to the hosts in these options, and to those that an `http:` issuer names. Default false:
   * `https:`, or `http:` to `localhost`, 127.0.0.0/8 and ::1.
   */
  allowInsecureRequests?: boolean | undefined;
  /** `close()` tries to revoke the access token (RFC 7009), for at most 2 seconds. Default false. */
  revokeOnClose?: boolean | undefined;
}

/** A token response whose refresh token is the one to keep: the new one, or the old one that stays valid. */
export type RotatedTokens = TokenResponse & { refresh_token: string };

export interface RefreshTokenOptions extends OAuthOptions {
  /** The refresh token to start from, or a function that reads it when it is first needed. */
  refreshToken: Supplied;
  /**
   * Stores the new refresh token. It is awaited before any request gets the new access token. The next call comes after
   * it has finished. If it fails, the new token stays in use, and the next refresh stores again.
   */
  // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- a callback that stores at once returns nothing
  onRotate?: ((tokens: RotatedTokens) => ObservableInput<unknown> | void) | undefined;
  /**
   * Signs the user in, and returns the parsed token response. It is called when the server says that the user must sign
   * in (`invalid_grant` and similar codes), and when the function `refreshToken` has no refresh token yet: it returns
   * nothing, or fails with the code ENOENT. It is called once for all requests that wait, and may take as long as the
   * user needs: its tokens are kept even if no request waits any more. The lifetime of the access token counts from the
   * call.
   */
  reauthenticate?: (() => ObservableInput<TokenResponse | TokenFields>) | undefined;
}
