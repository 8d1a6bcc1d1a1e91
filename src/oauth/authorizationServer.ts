import * as oauth from 'oauth4webapi';
import { displayUrl } from '../internal/originOf.js';
import { TokenEndpointError } from '../errors.js';
import { mistake } from '../token/mistake.js';
import { answeredBy, asksForRetry, retryAfterIn, TEMPORARILY_UNAVAILABLE } from './answer.js';
import { boundedFetch, requestBy } from './boundedFetch.js';
import type { CheckedOptions } from './checkOptions.js';
import { objectionTo, parse } from './secureUrl.js';

/** What we need to know of an authorization server. */
export interface AuthorizationServer {
  readonly issuer: string;
  readonly token_endpoint: string;
  /** Asked for when it is needed: one that cannot be used must not keep a stream from its token. */
  revocationEndpoint(): string | undefined;
}

export interface ServerLookup {
  get(signal: AbortSignal): Promise<AuthorizationServer>;
  /** The next `get` asks again: the endpoints may have moved. */
  forget(): void;
}

/** A failed discovery is not kept: it is repeated with the token. */
export function createServerLookup(options: CheckedOptions): ServerLookup {
  const { issuer, tokenEndpoint, revocationEndpoint } = options;
  if (issuer === undefined) {
    const { href } = new URL(tokenEndpoint as string);
    // The audience of a client assertion: RFC 7523 section 3 suggests the token endpoint where no issuer is known.
    const known = { issuer: href, token_endpoint: href, revocationEndpoint: () => revocationEndpoint };
    return { get: () => Promise.resolve(known), forget: () => undefined };
  }
  let current: AuthorizationServer | undefined;
  return {
    get: async (signal) => (current ??= await discover(new URL(issuer), options, signal)),
    forget: () => {
      current = undefined;
    },
  };
}

async function discover(issuer: URL, options: CheckedOptions, signal: AbortSignal): Promise<AuthorizationServer> {
  const place = `the discovery document of ${displayUrl(issuer)}`;
  const request = (algorithm: 'oidc' | 'oauth2') =>
    oauth.discoveryRequest(issuer, { algorithm, ...requestBy(boundedFetch(place, options.fetch), issuer, signal) });
  let response = await request('oidc');
  if (response.status === 404) response = await request('oauth2'); // a plain OAuth server: RFC 8414
  const { status, headers } = response;
  const answered = answeredBy(place, response);
  if (status !== 200) {
    const isTemporary = asksForRetry({ status, headers, body: await response.text() });
    throw new TokenEndpointError(answered, {
      status,
      ...(isTemporary && { error: TEMPORARILY_UNAVAILABLE }),
      retryAfter: retryAfterIn(headers, Date.now()),
    });
  }
  const metadata = await oauth.processDiscoveryResponse(issuer, response).catch((failure: unknown) => {
    throw (failure as { code?: unknown }).code === oauth.JSON_ATTRIBUTE_COMPARISON
      ? mistake(`${place} names another issuer (a slash at its end counts): correct it, or give tokenEndpoint instead`)
      : new TokenEndpointError(`${answered}, but is no authorization server metadata`, { status });
  });
  const aliases = options.clientAuth === 'tls_client_auth' ? metadata.mtls_endpoint_aliases : undefined;
  const endpoint = (name: 'token_endpoint' | 'revocation_endpoint') => {
    const value: unknown = aliases?.[name] ?? metadata[name] ?? undefined; // null is how some say "none"
    if (value === undefined) return undefined;
    const url = parse(value);
    const objection = url ? objectionOf(url, issuer, options) : 'must be a URL';
    if (!url || objection) throw mistake(`${place} names a ${name} that cannot be used: it ${objection ?? ''}`);
    return url.href;
  };
  const token_endpoint = endpoint('token_endpoint');
  if (token_endpoint === undefined) throw mistake(`${place} names no token_endpoint`);
  return {
    issuer: metadata.issuer,
    token_endpoint,
    revocationEndpoint: () => options.revocationEndpoint ?? endpoint('revocation_endpoint'),
  };
}

/** A document that came over TLS must not lead credentials out of it, not even where `http:` may be named. */
const objectionOf = (url: URL, issuer: URL, { allowInsecureRequests }: CheckedOptions): string | undefined =>
  issuer.protocol === 'https:' && url.protocol === 'http:'
    ? 'must be an https: URL, since the issuer is one'
    : objectionTo(url, allowInsecureRequests);
