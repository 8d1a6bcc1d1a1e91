import * as oauth from 'oauth4webapi';
import { onAbort } from '../internal/onAbort.js';
import { onBehalfOf } from '../internal/sourceHooks.js';
import type { AccessToken, TokenResponse } from '../token/types.js';
import type { ServerLookup } from './authorizationServer.js';
import { boundedFetch } from './boundedFetch.js';
import { clientOf, type Authenticate } from './clientAuth.js';
import type { OAuthOptions } from './options.js';
import { orAborted } from './orAborted.js';
import { requestBy } from './requestBy.js';

/** Nobody waits for a revocation: a server that is slower than this keeps the token until it expires. Milliseconds. */
export const REVOCATION_TIMEOUT = 2_000;

export interface Revoker {
  /** Revokes the last token of a stream that closes, and notes whose request is pending. */
  readonly onClose: (token: AccessToken | null, pending?: AbortSignal) => void;
  /** Revokes a token that came too late, if the stream of this signal has been closed; tells whether it has. */
  disown(token: string, signal: AbortSignal): boolean;
  /**
   * Fetches a token for the request of this signal. Closing the stream ends the wait for it at once, but the fetch only
   * some time later, or the server could have issued a token that nobody revokes.
   */
  overlook(signal: AbortSignal, fetch: (outliving: AbortSignal) => Promise<TokenResponse>): Promise<TokenResponse>;
}

/** Revokes tokens (RFC 7009), best effort: there is no one left to tell of a failure. */
export function revokerOf(
  options: OAuthOptions,
  servers: ServerLookup,
  authenticate: Authenticate,
  skew: () => number,
): Revoker {
  const closed = new WeakSet<AbortSignal>();

  async function revoke(token: string): Promise<void> {
    // Its timer does not keep a Node process alive, but an unanswered request does until it fires.
    const signal = AbortSignal.timeout(REVOCATION_TIMEOUT);
    const server = await servers.get(signal);
    const { issuer } = server;
    const revocation_endpoint = server.revocationEndpoint();
    if (revocation_endpoint === undefined) return;
    await oauth.revocationRequest(
      { issuer, revocation_endpoint },
      clientOf(options, skew()),
      authenticate(signal),
      token,
      {
        ...requestBy(boundedFetch('the revocation endpoint', options.fetch), new URL(revocation_endpoint), signal),
        additionalParameters: { token_type_hint: 'access_token' },
      },
    );
  }

  function disown(token: string, signal: AbortSignal): boolean {
    if (!closed.has(signal)) return false;
    revoke(token).catch(() => undefined);
    return true;
  }

  return {
    onClose: (token, pending) => {
      if (pending) closed.add(pending);
      if (token) revoke(token.value).catch(() => undefined);
    },
    disown,
    overlook: (signal, fetch) => {
      const outliving = new AbortController();
      let timer: ReturnType<typeof setTimeout> | undefined;
      const end = () => {
        if (!closed.has(signal)) outliving.abort();
        else timer = setTimeout(() => outliving.abort(), REVOCATION_TIMEOUT);
      };
      const stop = onAbort(signal, end);
      const fetched = fetch(onBehalfOf(signal, outliving.signal)).finally(() => {
        stop();
        clearTimeout(timer);
      });
      fetched.then(
        ({ access_token }) => disown(access_token, signal),
        () => undefined,
      );
      return orAborted(fetched, signal);
    },
  };
}
