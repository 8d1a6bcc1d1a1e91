import * as oauth from 'oauth4webapi';
import { InvalidTokenResponseError, TokenEndpointError } from '../errors.js';
import { ON_CLOSE, PROOF } from '../internal/sourceHooks.js';
import type { SourceHooks } from '../token/proof.js';
import type { TokenResponse } from '../token/types.js';
import { mediaTypeOf, refreshTokenIn, retryAfterOf, schemeOf, tokenResponseOf } from './answer.js';
import { lookupOf, type AuthorizationServer } from './authorizationServer.js';
import { boundedFetch, type Transport } from './boundedFetch.js';
import { challengeOf } from './challenge.js';
import { clientAuthOf, clientOf } from './clientAuth.js';
import { dpopKeyOf, proofBy } from './dpop.js';
import { checkOptions } from './checkOptions.js';
import { copyOf, listOf, type OAuthOptions } from './options.js';
import { requestBy } from './requestBy.js';
import { revokerOf } from './revoke.js';
import { printable } from './secureUrl.js';

/** Exchanges a grant for a token, and knows the remedies that need no new decision of the caller. */
export interface TokenEndpoint {
  /** What a source on this endpoint does besides fetching. */
  readonly hooks: SourceHooks;
  exchange(
    grant: string,
    parameters: Readonly<Record<string, string | undefined>>,
    signal: AbortSignal,
    watch?: Watch,
  ): Promise<TokenResponse>;
  /** Holds a response that came in another way to the same: the spelling of its scheme, and that it is bound to the key. */
  readonly vet: (response: TokenResponse) => TokenResponse;
  /** A token that came when nobody waited any more: it is revoked, if that is wanted and the stream of this signal is closed. */
  disown(response: TokenResponse, signal: AbortSignal): boolean;
}

/** What a caller can see of an exchange while it goes on. */
export interface Watch {
  /** The request is about to leave, perhaps once more. */
  onSent?(): void;
  /** The answer is refused, but it held this new refresh token. */
  onSalvaged?(refreshToken: string): void;
}

/** Why the same exchange is sent again at once; each at most once per exchange. */
type Remedy = 'nonce' | 'clock' | 'moved';

/** Checks the options, so call it when the source is created. */
export function tokenEndpoint(given: OAuthOptions): TokenEndpoint {
  checkOptions(given);
  const options = copyOf(given);
  const servers = lookupOf(options);
  const authenticate = clientAuthOf(options);
  const key = dpopKeyOf(options.dpop);
  const signs =
    key !== undefined || (options.clientAuth === 'private_key_jwt' && options.clientAssertion === undefined);
  const revoker = options.revokeOnClose ? revokerOf(options, servers, authenticate, () => skew) : undefined;
  let skew = 0;

  async function send(server: AuthorizationServer, { grant, form, signal, watch }: Order) {
    const url = new URL(server.token_endpoint);
    const place = `the token endpoint ${printable(url)}`;
    const transport: Transport = (target, init) => {
      watch.onSent?.();
      return boundedFetch(place, options.fetch)(target, init);
    };
    const { issuer, token_endpoint } = server;
    const response = await oauth.genericTokenEndpointRequest(
      { issuer, token_endpoint },
      clientOf(options, skew),
      authenticate(signal),
      grant,
      form,
      {
        ...requestBy(transport, url, signal),
        ...(key && { DPoP: await key.handle(skew) }),
      },
    );
    return { response, place };
  }

  async function exchangeOnce(server: AuthorizationServer, order: Order) {
    const { response, place } = await send(server, order);
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
      if (key) adopt(clockSkewOf(headers, now));
      return token;
    } catch (failure) {
      throw new Refused(failure, clockSkewOf(headers, now), refreshTokenIn({ status, text }));
    }
  }

  async function exchange(order: Order, tried: readonly Remedy[] = []): Promise<TokenResponse> {
    const { signal, watch } = order;
    const server = await servers.get(signal);
    try {
      return await exchangeOnce(server, order);
    } catch (thrown) {
      const { failure, serverSkew, salvaged } = thrown instanceof Refused ? thrown : new Refused(thrown);
      if (salvaged !== undefined) watch.onSalvaged?.(salvaged);
      const remedy = await remedyFor(failure, server, serverSkew, signal);
      // What was rotated must not be sent again.
      if (!remedy || tried.includes(remedy) || signal.aborted || salvaged !== undefined) throw failure;
      return exchange(order, [...tried, remedy]);
    }
  }

  /** RFC 9449 section 5: whoever wants the protection discards a token that is not bound. */
  function refuseUnbound(token: TokenResponse, where: string): void {
    if (key && token.token_type !== 'DPoP')
      throw new InvalidTokenResponseError(`${where} a token that is not bound to the key, though dpop was asked for`);
  }

  /** From now on signs by the server's clock, if that differs enough to matter. */
  function adopt(serverSkew: number | undefined): boolean {
    if (serverSkew === undefined || Math.abs(serverSkew - skew) <= TOLERANCE) return false;
    skew = serverSkew;
    return true;
  }

  /** Decides what could mend a failure, and prepares it. */
  async function remedyFor(
    failure: unknown,
    server: AuthorizationServer,
    serverSkew: number | undefined,
    signal: AbortSignal,
  ): Promise<Remedy | undefined> {
    // A web page, say, where the endpoint used to be. The grant may have been used up: only the next attempt looks again.
    if (failure instanceof InvalidTokenResponseError) servers.forget();
    if (!(failure instanceof TokenEndpointError)) return undefined;
    const { error, status } = failure;
    if (signs && BY_THE_CLOCK.test(error ?? '') && adopt(serverSkew)) return 'clock';
    if (key && error === 'use_dpop_nonce') return 'nonce'; // oauth4webapi keeps the nonce of every answer
    // A router that knows no such path has an `error` of its own to say so: `{ "error": "Not Found" }`.
    const moved = status !== undefined && MOVED(status);
    if (!servers.discovered || (error !== undefined && !moved)) return undefined;
    servers.forget();
    // Not after a network failure or a 5xx: the grant may have been used up, and the next attempt looks again anyway.
    if (!moved) return undefined;
    const now = await servers.get(signal).catch(() => server);
    return now.token_endpoint === server.token_endpoint ? undefined : 'moved';
  }

  return {
    hooks: {
      ...(key && { [PROOF]: proofBy(() => key.handle(skew)) }),
      ...(revoker && { [ON_CLOSE]: revoker.onClose }),
    },
    exchange: async (grant, parameters, signal, watch = {}) => {
      const order = { grant, form: formOf(options, parameters), signal, watch };
      return revoker
        ? revoker.overlook(signal, (outliving) => exchange({ ...order, signal: outliving }))
        : exchange(order);
    },
    vet: (response) => {
      if (typeof (response as TokenResponse | undefined)?.access_token !== 'string') return response; // the stream says what is wrong with it
      const { token_type: type } = response;
      const spelled =
        typeof type === 'string' && schemeOf(type) !== type ? { ...response, token_type: schemeOf(type) } : response;
      try {
        refuseUnbound(spelled, 'reauthenticate gave');
      } catch (failure) {
        // Nothing came that the next attempt could use: it would ask the user again.
        throw response.refresh_token
          ? failure
          : new TokenEndpointError((failure as Error).message, { error: 'invalid_grant' });
      }
      return spelled;
    },
    disown: (response, signal) => {
      const token: unknown = (response as TokenResponse | undefined)?.access_token; // a sign-in may give anything
      return typeof token === 'string' && (revoker?.disown(token, signal) ?? false);
    },
  };
}

/** One exchange, as it was asked for. */
interface Order {
  readonly grant: string;
  readonly form: URLSearchParams;
  readonly signal: AbortSignal;
  readonly watch: Watch;
}

/** What servers answer when they find a signed assertion or proof outdated. */
const BY_THE_CLOCK = /^(invalid_client|invalid_dpop_proof|use_dpop_nonce)$/;

/** Seconds by which a server's clock may differ before it is worth a repeat: servers tolerate some themselves. */
const TOLERANCE = 30;

const MOVED = (status: number): boolean =>
  (status >= 300 && status < 400) || status === 404 || status === 405 || status === 410;

/** By how many seconds the server's clock is ahead of ours, by its `Date` header (the server is known by its TLS certificate). */
export function clockSkewOf(headers: Pick<Headers, 'get'>, now: number): number | undefined {
  const skew = Math.round((Date.parse(headers.get('date') ?? '') - now) / 1000);
  return Number.isNaN(skew) ? undefined : skew;
}

/** The form of a request; oauth4webapi adds the grant type and the client. What is undefined is left out. An option replaces the parameter of its name. */
export function formOf(
  { parameters, scope, resource, audience }: OAuthOptions,
  own: Readonly<Record<string, string | undefined>>,
): URLSearchParams {
  const form = new URLSearchParams(parameters);
  for (const [name, value] of Object.entries({ scope, ...own })) if (value !== undefined) form.set(name, value);
  for (const [name, values] of Object.entries({ resource: listOf(resource), audience: listOf(audience) })) {
    if (values.length > 0) form.delete(name);
    for (const value of values) form.append(name, value);
  }
  return form;
}

/** A failed exchange, the server's clock at that time, and the refresh token that the answer held all the same. */
class Refused extends Error {
  constructor(
    readonly failure: unknown,
    readonly serverSkew?: number,
    readonly salvaged?: string,
  ) {
    super();
  }
}
