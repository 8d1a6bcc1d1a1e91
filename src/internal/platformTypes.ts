/**
 * Types of the platform that the DOM library declares and `@types/node` does not. They are derived from what both
 * declare, so that the declarations of the package compile with either.
 */

export type HeadersInit = NonNullable<RequestInit['headers']>;
export type BodyInit = NonNullable<RequestInit['body']>;
export type RequestRedirect = NonNullable<RequestInit['redirect']>;
export type CryptoKey = Awaited<ReturnType<typeof globalThis.crypto.subtle.importKey>>;
export interface CryptoKeyPair {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}
