import type { ObservableInput } from 'rxjs';
import type { CryptoKey, CryptoKeyPair } from '../internal/platformTypes.js';
import type { TokenFields, TokenResponse } from '../token/types.js';
import type { Supplied } from './source.js';

/** How the client proves who it is (RFC 6749 section 2.3, RFC 7523 section 2.2, RFC 8705 section 2). */
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
  /** Where `revokeOnClose` goes when there is no `issuer` to name it (RFC 7009). */
  revocationEndpoint?: string | URL | undefined;
  /** The client's identifier. Not empty. */
  clientId: string;
  /** Needed by `client_secret_basic` and `client_secret_post`. */
  clientSecret?: string | undefined;
  /**
   * Default `client_secret_basic`, or `private_key_jwt` where a `clientAssertion` is given. `tls_client_auth` needs a
   * `fetch` that presents the client certificate, and uses the `mtls_endpoint_aliases` of a discovered server.
   */
  clientAuth?: ClientAuthMethod | undefined;
  /** For `private_key_jwt`: a private key that may sign, with its `kid` if the server tells keys apart. */
  privateKey?: CryptoKey | { readonly key: CryptoKey; readonly kid?: string | undefined } | undefined;
  /**
   * For `private_key_jwt`, instead of `privateKey`: the signed assertion itself (RFC 7523 section 2.2), where something
   * else makes it. A function is called for each request.
   */
  clientAssertion?: Supplied | undefined;
  /** Scopes, separated by spaces. Default: what the server grants by itself. */
  scope?: string | undefined;
  /** The API or APIs that the token is for: absolute URIs without a fragment (RFC 8707). */
  resource?: string | readonly string[] | undefined;
  /** The API or APIs that the token is for, by name (RFC 8693 section 2.1; Auth0 and others for every grant). */
  audience?: string | readonly string[] | undefined;
  /** Further form parameters, as the server's manual asks for. They cannot replace what the grant itself sends. */
  parameters?: Readonly<Record<string, string>> | undefined;
  /**
   * Sends the requests: for a proxy, a client certificate, a test. Default `globalThis.fetch`. Must not follow
   * redirects when told not to.
   */
  fetch?: typeof globalThis.fetch | undefined;
  /**
   * Binds the tokens to a key (RFC 9449), so that a stolen one is useless. `true` makes a key pair that lives as long
   * as the source; hand in your own to keep a public client's refresh token usable beyond that. Default false.
   */
  dpop?: boolean | CryptoKeyPair | undefined;
  /**
   * Whether credentials may go over plain `http:` to any host that is named here, and that an `http:` issuer names.
   * Default false: `https:`, or `http:` to `localhost`, 127.0.0.0/8 and ::1.
   */
  allowInsecureRequests?: boolean | undefined;
  /** When the stream is closed its access token is revoked (RFC 7009), best effort, within 2 seconds. Default false. */
  revokeOnClose?: boolean | undefined;
}

/** A token response whose refresh token is the one to keep: the new one, or the old one that stays valid. */
export type RotatedTokens = TokenResponse & { refresh_token: string };

export interface RefreshTokenOptions extends OAuthOptions {
  /** The refresh token to start from, or a function that reads it when it is first needed. */
  refreshToken: Supplied;
  /**
   * Stores the new refresh token. It is awaited before the new access token is handed out, and never called again
   * before it has finished. When it fails the new token stays in use, and the next refresh stores again.
   */
  // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- a callback that stores at once returns nothing
  onRotate?: ((tokens: RotatedTokens) => ObservableInput<unknown> | void) | undefined;
  /**
   * Gets tokens in another way (asks the user, say) when the server says that the user must sign in (`invalid_grant`
   * and the like), or when `refreshToken` is a function that has none yet: it gives nothing, or fails with the code
   * ENOENT. It may take its time: it is called once for all who ask meanwhile, and what it gives is kept even if no
   * request waits any more. The life of the access token that it gives counts from when it was called.
   */
  reauthenticate?: (() => ObservableInput<TokenResponse | TokenFields>) | undefined;
}
