/** Types of the platform in a form that compiles with the DOM library and with `@types/node` alike. */

export type HeadersInit = NonNullable<RequestInit['headers']>;
export type BodyInit = NonNullable<RequestInit['body']>;
export type RequestRedirect = NonNullable<RequestInit['redirect']>;
export type CryptoKey = Awaited<ReturnType<typeof globalThis.crypto.subtle.importKey>>;
export interface CryptoKeyPair {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}
