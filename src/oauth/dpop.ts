import * as oauth from 'oauth4webapi';

/** The key of one source, made when it is first needed and kept. */
export interface DpopKey {
  /** What signs proofs and remembers nonces; `skew` in seconds, see `clockSkewOf`. */
  handle(skew: number): Promise<oauth.DPoPHandle>;
}

export function dpopKeyOf(dpop: boolean | CryptoKeyPair | undefined): DpopKey | undefined {
  if (dpop === undefined || dpop === false) return undefined;
  let pair: Promise<oauth.CryptoKeyPair> | undefined = typeof dpop === 'object' ? Promise.resolve(dpop) : undefined;
  let made: { readonly skew: number; readonly handle: oauth.DPoPHandle } | undefined;
  return {
    async handle(skew) {
      // Every server that knows DPoP knows ES256 (RFC 9449 section 5.1 and its IANA registrations).
      const keys = await (pair ??= oauth.generateKeyPair('ES256').catch((failure: unknown) => {
        pair = undefined;
        throw failure;
      }));
      // A handle's clock cannot be set: another skew needs another one, at the cost of the nonces it knew.
      if (made?.skew !== skew) made = { skew, handle: oauth.DPoP({ [oauth.clockSkew]: skew }, keys) };
      return made.handle;
    },
  };
}
