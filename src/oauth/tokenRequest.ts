import * as oauth from 'oauth4webapi';
import type { TokenResponse } from '../token/types.js';
import { mediaTypeOf, refreshTokenIn, retryAfterOf, tokenResponseOf } from './answer.js';
import type { AuthorizationServer } from './authorizationServer.js';
import { boundedFetch, type Transport } from './boundedFetch.js';
import { challengeOf } from './challenge.js';
import { clientOf, type Authenticate } from './clientAuth.js';
import type { DpopKey } from './dpop.js';
import type { OAuthOptions } from './options.js';
import { requestBy } from './requestBy.js';
import { printable } from './secureUrl.js';
import { clockSkewOf, type ServerClock } from './serverClock.js';

/** What a caller can see of an exchange while it goes on. */
export interface Watch {
  /** The request is about to leave, perhaps once more. Throws to prevent that. */
  onSent?(): void;
  /** The answer is refused, but it held this new refresh token. */
  onRotatedInRefusal?(refreshToken: string): void;
}

/** One exchange, as it was asked for. */
export interface Order {
  readonly grant: string;
  readonly form: URLSearchParams;
  readonly signal: AbortSignal;
  readonly watch: Watch;
}

/** A failed exchange, the server's clock at that time, and the refresh token that the answer held all the same. */
export class Refusal extends Error {
  constructor(
    readonly failure: unknown,
    readonly serverSkew?: number,
    readonly refreshToken?: string,
  ) {
    super();
  }
}

export interface TokenRequestSettings {
  readonly options: OAuthOptions;
  readonly authenticate: Authenticate;
  readonly key: DpopKey | undefined;
  readonly clock: ServerClock;
  /** Throws where a token must be bound to a key, and is not. */
  readonly refuseUnbound: (token: TokenResponse, where: string) => void;
}

/** Sends one request to the token endpoint, and makes a token of the answer. What the server refuses is thrown as a {@link Refusal}. */
export function tokenRequestBy(settings: TokenRequestSettings) {
  const { options, authenticate, key, clock, refuseUnbound } = settings;

  async function send(server: AuthorizationServer, place: string, { grant, form, signal, watch }: Order) {
    const transport: Transport = (target, init) => {
      watch.onSent?.();
      return boundedFetch(place, options.fetch)(target, init);
    };
    const { issuer, token_endpoint } = server;
    const as = { issuer, token_endpoint };
    return oauth.genericTokenEndpointRequest(as, clientOf(options, clock.skew()), authenticate(signal), grant, form, {
      ...requestBy(transport, new URL(token_endpoint), signal),
      ...(key && { DPoP: await key.handle(clock.skew()) }),
    });
  }

  return async (server: AuthorizationServer, order: Order): Promise<TokenResponse> => {
    const place = `the token endpoint ${printable(new URL(server.token_endpoint))}`;
    const response = await send(server, place, order);
    const { status, headers } = response;
    const now = Date.now(); // the wall clock: what oauth4webapi signs by, and what a server's dates are compared with
    const text = await response.text();
    try {
      const answer = {
        status,
        mediaType: mediaTypeOf(headers),
        retryAfter: retryAfterOf(headers, now),
        challenge: await challengeOf(response),
        text,
      };
      const token = tokenResponseOf(answer, place);
      refuseUnbound(token, `${place} answered with`);
      // Where a nonce vouches for a proof's age the token endpoint did not mind the clock; a resource server may.
      if (key) clock.adjust(clockSkewOf(headers, now));
      return token;
    } catch (failure) {
      throw new Refusal(failure, clockSkewOf(headers, now), refreshTokenIn({ status, text }));
    }
  };
}
