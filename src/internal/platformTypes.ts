/**
 * Types of the platform in a form that compiles with the DOM library, with `@types/node`, and with Cloudflare's types,
 * where `crypto` is no member of `globalThis`.
 */

export type HeadersInit = NonNullable<RequestInit['headers']>;
export type BodyInit = NonNullable<RequestInit['body']>;
export type RequestRedirect = NonNullable<RequestInit['redirect']>;
export type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;
export interface CryptoKeyPair {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}
