/** Proofs of possession (RFC 9449), for the token endpoint and for the clients of a stream. */
import * as oauth from 'oauth4webapi';
import type { ProvenRequest, TokenProof } from '../../token/sourceHooks.js';
import { requestOptions } from './boundedFetch.js';

/** Signs proofs with the key of one source by the server's clock, and remembers nonces. */
export type DpopHandle = () => Promise<oauth.DPoPHandle>;

export function createDpopHandle(
  dpop: boolean | CryptoKeyPair | undefined,
  skew: () => number,
): DpopHandle | undefined {
  if (dpop === undefined || dpop === false) return undefined;
  let keyPair: Promise<oauth.CryptoKeyPair> | undefined = typeof dpop === 'object' ? Promise.resolve(dpop) : undefined;
  let current: { readonly skew: number; readonly handle: oauth.DPoPHandle } | undefined;
  return async () => {
    // Every server that knows DPoP knows ES256 (RFC 9449 section 5.1 and its IANA registrations).
    keyPair ??= oauth.generateKeyPair('ES256').catch((failure: unknown) => {
      keyPair = undefined; // the next fetch tries again
      throw failure;
    });
    const keys = await keyPair;
    const latest = skew();
    // A handle's clock cannot be set: another skew needs another handle, which does not know the nonces.
    if (current?.skew !== latest) current = { skew: latest, handle: oauth.DPoP({ [oauth.clockSkew]: latest }, keys) };
    return current.handle;
  };
}

/**
 * Proofs for requests that a client of the stream sends. oauth4webapi makes a proof, and keeps a nonce, only in the
 * course of a request of its own: it gets one whose fetch keeps the headers and answers what the real server answered.
 *
 * @param isKeyMade whether the source makes its key
 */
export function createProof(handle: DpopHandle, isKeyMade: boolean): TokenProof {
  const prepare = async ({ method, url, token }: ProvenRequest, response: Response) => {
    const target = new URL(url);
    let sent: Readonly<Record<string, string>> = {};
    const failure: unknown = await oauth
      .protectedResourceRequest(token.value, method, target, undefined, null, {
        DPoP: await handle(),
        // Nothing is sent; where the token may go is not decided here.
        ...requestOptions((_url, { headers }) => {
          sent = headers;
          return Promise.resolve(response);
        }, target),
      })
      .catch((thrown: unknown) => thrown);
    return { sent, failure };
  };
  return {
    async sign(request): Promise<Readonly<Record<string, string>>> {
      if (request.token.type !== 'DPoP') return {};
      const { sent, failure } = await prepare(request, new Response());
      if (sent.dpop === undefined) throw failure;
      return { dpop: sent.dpop };
    },
    async learn(request, { status, headers }) {
      const nonce = headers.get('dpop-nonce');
      if (nonce === null || request.token.type !== 'DPoP') return false;
      const challenge = status === 401 ? headers.get('www-authenticate') : null;
      const told = { 'dpop-nonce': nonce, ...(challenge !== null && { 'www-authenticate': challenge }) };
      const { failure } = await prepare(request, new Response(null, { headers: told }));
      return oauth.isDPoPNonceError(failure);
    },
    checkStore() {
      if (isKeyMade)
        throw new TypeError(
          'option "dpop" must be your own key pair, kept where the token is, if the stream has a store: ' +
            'the key that true makes is lost with this source',
        );
    },
  };
}
