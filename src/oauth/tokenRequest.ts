import * as oauth from 'oauth4webapi';
import { mediaTypeOf, retryAfterOf, type Answer } from './answer.js';
import type { AuthorizationServer } from './authorizationServer.js';
import { boundedFetch, type Transport } from './boundedFetch.js';
import { challengeOf } from './challenge.js';
import { clientOf, type Authenticate } from './clientAuth.js';
import type { DpopHandle } from './dpop.js';
import type { OAuthOptions } from './options.js';
import { requestBy } from './requestBy.js';
import { printable } from './secureUrl.js';
import { clockSkewOf, type ServerClock } from './serverClock.js';

/** What is exchanged for a token. */
export interface GrantRequest {
  readonly grantType: string;
  readonly form: URLSearchParams;
  readonly signal: AbortSignal;
  /** Called when a request is about to be sent, perhaps once more. Throws to prevent that. */
  readonly onSend?: (() => void) | undefined;
}

/** Sends one request to the token endpoint, and reads the answer. */
export function tokenRequestBy(
  options: OAuthOptions,
  authenticate: Authenticate,
  clock: ServerClock,
  dpopHandle: DpopHandle | undefined,
) {
  return async (server: AuthorizationServer, request: GrantRequest): Promise<Answer> => {
    const { issuer, token_endpoint } = server;
    const { grantType, form, signal, onSend } = request;
    const url = new URL(token_endpoint);
    const place = `the token endpoint ${printable(url)}`;
    const fetch = boundedFetch(place, options.fetch);
    const transport: Transport = (target, init) => {
      onSend?.();
      return fetch(target, init);
    };
    const response = await oauth.genericTokenEndpointRequest(
      { issuer, token_endpoint },
      clientOf(options, clock.skew()),
      authenticate(signal),
      grantType,
      form,
      { ...requestBy(transport, url, signal), DPoP: await dpopHandle?.() },
    );
    const { status, headers } = response;
    const now = Date.now(); // the wall clock: what oauth4webapi signs by, and what a server's dates are compared with
    return {
      place,
      status,
      mediaType: mediaTypeOf(headers),
      retryAfter: retryAfterOf(headers, now),
      clockSkew: clockSkewOf(headers, now),
      challenge: await challengeOf(response),
      text: await response.text(),
    };
  };
}
