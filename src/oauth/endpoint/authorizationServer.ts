/** Where the endpoints of an authorization server are: by discovery, or by the options. */
import * as oauth from 'oauth4webapi';
import { displayUrl } from '../../internal/values/urls.js';
import { TokenEndpointError } from '../../errors.js';
import { permanentError } from '../../answers/permanentError.js';
import { answeredBy, asksToRetry, retryAfterIn, TEMPORARILY_UNAVAILABLE } from './answer.js';
import { boundedFetch, requestOptions } from './boundedFetch.js';
import type { CheckedOptions } from '../checks/checkOptions.js';
import { objectionTo, toUrl } from './secureUrl.js';

/** What we need to know of an authorization server. */
export type AuthorizationServer = oauth.AuthorizationServer & { readonly token_endpoint: string };

export class ServerLookup {
  private current: AuthorizationServer | undefined;

  constructor(private readonly options: CheckedOptions) {}

  /** A failed discovery is not kept: it is repeated with the token. */
  async get(signal: AbortSignal): Promise<AuthorizationServer> {
    const { options } = this;
    const { issuer } = options;
    if (issuer === undefined) return withoutDiscovery(options);
    return (this.current ??= await discover(new URL(issuer), options, signal));
  }

  /** Whether the next `get` gives what was looked up for an earlier one. */
  isKept(): boolean {
    return this.current !== undefined;
  }

  /** The next `get` asks again: the endpoints may have moved. */
  forget(): void {
    this.current = undefined;
  }
}

function withoutDiscovery({ tokenEndpoint, revocationEndpoint }: CheckedOptions): AuthorizationServer {
  const { href } = new URL(tokenEndpoint as string);
  // The audience of a client assertion: RFC 7523 section 3 suggests the token endpoint where no issuer is known.
  return { issuer: href, token_endpoint: href, revocation_endpoint: revocationEndpoint };
}

async function discover(issuer: URL, options: CheckedOptions, signal: AbortSignal): Promise<AuthorizationServer> {
  const place = `the discovery document of ${displayUrl(issuer)}`;
  const request = (algorithm: 'oidc' | 'oauth2') =>
    oauth.discoveryRequest(issuer, {
      algorithm,
      ...requestOptions(boundedFetch(place, options.fetch), issuer, signal),
    });
  let response = await request('oidc');
  if (response.status === 404) response = await request('oauth2'); // a plain OAuth server: RFC 8414
  const { status, headers } = response;
  const answered = answeredBy(place, response);
  if (status !== 200) {
    const isTemporary = asksToRetry({ status, headers, body: await response.text() });
    throw new TokenEndpointError(answered, {
      status,
      ...(isTemporary && { error: TEMPORARILY_UNAVAILABLE }),
      retryAfter: retryAfterIn(response, Date.now()),
    });
  }
  const metadata = await oauth.processDiscoveryResponse(issuer, response).catch((failure: unknown) => {
    const { code, cause } = failure as { code?: unknown; cause: { body: { issuer: string } } };
    throw code === oauth.JSON_ATTRIBUTE_COMPARISON
      ? permanentError(
          `${place} names another issuer: ${displayUrl(new URL(cause.body.issuer)).slice(0, 200)}, not ` +
            `${displayUrl(issuer)} (a slash at the end counts). Correct it, or give tokenEndpoint instead`,
        )
      : new TokenEndpointError(`${answered}, but is no authorization server metadata`, { status });
  });
  const aliases = options.clientAuth === 'tls_client_auth' ? metadata.mtls_endpoint_aliases : undefined;
  // null is how some say "none".
  const endpoint = (name: 'token_endpoint' | 'revocation_endpoint') => aliases?.[name] ?? metadata[name] ?? undefined;
  const [token_endpoint, revocation_endpoint] = [endpoint('token_endpoint'), endpoint('revocation_endpoint')];
  if (token_endpoint === undefined) throw permanentError(`${place} names no token_endpoint`);
  const objection = objectionToEndpoint(token_endpoint, issuer, options);
  if (objection) throw permanentError(`${place} names a token_endpoint that cannot be used: it ${objection}`);
  // A revocation endpoint that cannot be used does not keep a stream from its token.
  const canRevoke = objectionToEndpoint(revocation_endpoint, issuer, options) === undefined;
  return {
    issuer: metadata.issuer,
    token_endpoint,
    revocation_endpoint: options.revocationEndpoint ?? (canRevoke ? revocation_endpoint : undefined),
  };
}

/** A document that came over TLS must not lead credentials out of it, not even where `http:` may be named. */
function objectionToEndpoint(endpoint: unknown, issuer: URL, options: CheckedOptions): string | undefined {
  const url = toUrl(endpoint);
  if (!url) return 'must be a URL';
  return issuer.protocol === 'https:' && url.protocol === 'http:'
    ? 'must be an https: URL, since the issuer is one'
    : objectionTo(url, options.allowInsecureRequests);
}
