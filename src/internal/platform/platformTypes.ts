/** Types of the platform in a form that compiles with the DOM library, `@types/node` and Cloudflare's types. */

export type HeadersInit = NonNullable<RequestInit['headers']>;
export type BodyInit = NonNullable<RequestInit['body']>;
export type RequestRedirect = NonNullable<RequestInit['redirect']>;
/** Not of `globalThis.crypto`: by Cloudflare's types it is no member of that. */
export type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;
export interface CryptoKeyPair {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}
