import * as oauth from 'oauth4webapi';
import { InvalidTokenResponseError, TokenEndpointError } from '../errors.js';
import { ON_CLOSE, PROOF } from '../internal/sourceHooks.js';
import type { SourceHooks } from '../token/proof.js';
import type { TokenResponse } from '../token/types.js';
import { mediaTypeOf, retryAfterOf, tokenResponseOf } from './answer.js';
import { lookupOf, type AuthorizationServer } from './authorizationServer.js';
import { boundedFetch, type Transport } from './boundedFetch.js';
import { challengeOf } from './challenge.js';
import { clientAuthOf, clientOf } from './clientAuth.js';
import { dpopKeyOf, proofBy } from './dpop.js';
import { checkOptions, listOf, type OAuthOptions } from './options.js';
import { secretsOf } from './redact.js';
import { requestBy } from './requestBy.js';
import { revokeBy } from './revoke.js';
import { printable } from './secureUrl.js';

/** Exchanges a grant for a token, and knows the remedies that need no new decision of the caller. */
export interface TokenEndpoint {
  /** What a source on this endpoint does besides fetching. */
  readonly hooks: SourceHooks;
  exchange(grant: string, parameters: Readonly<Record<string, string | undefined>>, signal?: AbortSignal): Promise<TokenResponse>;
}

/** Why the same exchange is sent again at once; each at most once per exchange. */
type Remedy = 'nonce' | 'clock' | 'moved';

/** Checks the options, so call it when the source is created. */
export function tokenEndpoint(options: OAuthOptions): TokenEndpoint {
  checkOptions(options);
  const servers = lookupOf(options);
  const clientAuth = clientAuthOf(options);
  const key = dpopKeyOf(options.dpop);
  const signs = key !== undefined || options.clientAuth === 'private_key_jwt';
  let skew = 0;

  async function send(server: AuthorizationServer, grant: string, form: URLSearchParams, signal: AbortSignal | undefined) {
    const url = new URL(server.token_endpoint);
    const place = `the token endpoint ${printable(url)}`;
    let secrets: readonly string[] = [];
    const transport: Transport = (target, init) => {
      secrets = secretsOf(init.body, init.headers);
      return boundedFetch(place, options.fetch)(target, init);
    };
    const { issuer, token_endpoint } = server;
    const response = await oauth.genericTokenEndpointRequest({ issuer, token_endpoint }, clientOf(options, skew), clientAuth, grant, form, {
      ...requestBy(transport, url, signal),
      ...(key && { DPoP: await key.handle(skew) }),
    });
    return { response, place, secrets };
  }

  async function exchangeOnce(server: AuthorizationServer, grant: string, form: URLSearchParams, signal: AbortSignal | undefined) {
    const { response, place, secrets } = await send(server, grant, form, signal);
    const { status, headers } = response;
    const now = Date.now(); // the wall clock: what oauth4webapi signs by, and what a server's dates are compared with
    try {
      const answer = { status, mediaType: mediaTypeOf(headers), retryAfter: retryAfterOf(headers, now), challenge: await challengeOf(response) };
      const token = tokenResponseOf({ ...answer, text: await response.text() }, place, secrets);
      // RFC 9449 section 5: whoever wants the protection discards a token that is not bound.
      if (key && token.token_type !== 'DPoP') throw new InvalidTokenResponseError(`${place} answered with a token that is not bound to the key, though dpop was asked for`);
      // Where a nonce vouches for a proof's age the token endpoint did not mind the clock; a resource server may.
      if (key) adopt(clockSkewOf(headers, now));
      return token;
    } catch (failure) {
      throw new Refused(failure, clockSkewOf(headers, now));
    }
  }

  async function exchange(grant: string, form: URLSearchParams, signal: AbortSignal | undefined, tried: readonly Remedy[]): Promise<TokenResponse> {
    const server = await servers.get(signal);
    try {
      return await exchangeOnce(server, grant, form, signal);
    } catch (thrown) {
      const { failure, serverSkew } = thrown instanceof Refused ? thrown : { failure: thrown, serverSkew: undefined };
      const remedy = await remedyFor(failure, server, serverSkew, signal);
      if (!remedy || tried.includes(remedy) || signal?.aborted) throw failure;
      return exchange(grant, form, signal, [...tried, remedy]);
    }
  }

  /** From now on signs by the server's clock, if that differs enough to matter. */
  function adopt(serverSkew: number | undefined): boolean {
    if (serverSkew === undefined || Math.abs(serverSkew - skew) <= TOLERANCE) return false;
    skew = serverSkew;
    return true;
  }

  /** Decides what could mend a failure, and prepares it. */
  async function remedyFor(failure: unknown, server: AuthorizationServer, serverSkew: number | undefined, signal: AbortSignal | undefined): Promise<Remedy | undefined> {
    if (!(failure instanceof TokenEndpointError)) return undefined;
    const { error, status } = failure;
    if (signs && BY_THE_CLOCK.test(error ?? '') && adopt(serverSkew)) return 'clock';
    if (key && error === 'use_dpop_nonce') return 'nonce'; // oauth4webapi keeps the nonce of every answer
    if (!servers.discovered || error !== undefined) return undefined;
    servers.forget();
    // Not after a network failure or a 5xx: the grant may have been used up, and the next attempt looks again anyway.
    if (status === undefined || !MOVED(status)) return undefined;
    const now = await servers.get(signal).catch(() => server);
    return now.token_endpoint === server.token_endpoint ? undefined : 'moved';
  }

  return {
    hooks: {
      ...(key && { [PROOF]: proofBy(() => key.handle(skew)) }),
      ...(options.revokeOnClose && { [ON_CLOSE]: revokeBy(options, servers, clientAuth, () => skew) }),
    },
    exchange: (grant, parameters, signal) => exchange(grant, formOf(options, parameters), signal, []),
  };
}

/** What servers answer when they find a signed assertion or proof outdated. */
const BY_THE_CLOCK = /^(invalid_client|invalid_dpop_proof|use_dpop_nonce)$/;

/** Seconds by which a server's clock may differ before it is worth a repeat: servers tolerate some themselves. */
const TOLERANCE = 30;

const MOVED = (status: number): boolean => (status >= 300 && status < 400) || status === 404 || status === 405 || status === 410;

/** By how many seconds the server's clock is ahead of ours, by its `Date` header (the server is known by its TLS certificate). */
export function clockSkewOf(headers: Pick<Headers, 'get'>, now: number): number | undefined {
  const skew = Math.round((Date.parse(headers.get('date') ?? '') - now) / 1000);
  return Number.isNaN(skew) ? undefined : skew;
}

/** The form of a request; oauth4webapi adds the grant type and the client. What is undefined is left out. */
export function formOf({ parameters, scope, resource, audience }: OAuthOptions, own: Readonly<Record<string, string | undefined>>): URLSearchParams {
  const form = new URLSearchParams(parameters);
  for (const [name, value] of Object.entries({ scope, ...own })) if (value !== undefined) form.set(name, value);
  for (const value of listOf(resource)) form.append('resource', value);
  for (const value of listOf(audience)) form.append('audience', value);
  return form;
}

/** A failed exchange and the server's clock at that time. */
class Refused extends Error {
  constructor(
    readonly failure: unknown,
    readonly serverSkew: number | undefined,
  ) {
    super();
  }
}
