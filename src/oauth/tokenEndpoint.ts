import { InvalidTokenResponseError, TokenEndpointError } from '../errors.js';
import { PROOF } from '../internal/sourceHooks.js';
import type { SourceHooks } from '../token/proof.js';
import type { TokenResponse } from '../token/types.js';
import { schemeOf } from './answer.js';
import { lookupOf, type AuthorizationServer } from './authorizationServer.js';
import { checkOptions } from './checkOptions.js';
import { clientAuthOf } from './clientAuth.js';
import { dpopKeyOf, proofBy, type DpopKey } from './dpop.js';
import { formOf, type Parameters } from './form.js';
import { copyOf, type OAuthOptions } from './options.js';
import { revokeBy, type Revoke } from './revoke.js';
import { serverClock } from './serverClock.js';
import { Refusal, tokenRequestBy, type Order, type Watch } from './tokenRequest.js';

/** Exchanges a grant for a token. It repeats a request at once where that needs no new decision of the caller. */
export interface TokenEndpoint {
  /** What a source on this endpoint does besides fetching. */
  readonly hooks: SourceHooks;
  exchange(grant: string, parameters: Parameters, signal: AbortSignal, watch?: Watch): Promise<TokenResponse>;
  /** Demands of a response that came in another way what is demanded of the server's: that it is bound to the key. Spells its scheme. */
  readonly requireBound: (response: TokenResponse) => TokenResponse;
  readonly revoke: Revoke;
}

/** Why the same exchange is sent again at once; each at most once per exchange. */
type RepeatReason = 'nonce' | 'clock' | 'moved';

/** Checks the options, so call it when the source is created. */
export function tokenEndpoint(given: OAuthOptions): TokenEndpoint {
  checkOptions(given);
  const options = copyOf(given);
  const servers = lookupOf(options);
  const authenticate = clientAuthOf(options);
  const key = dpopKeyOf(options.dpop);
  const signs =
    key !== undefined || (options.clientAuth === 'private_key_jwt' && options.clientAssertion === undefined);
  const clock = serverClock();
  const refuseUnbound = refuseUnboundBy(key);
  const exchangeOnce = tokenRequestBy({ options, authenticate, key, clock, refuseUnbound });

  async function exchange(order: Order, tried: readonly RepeatReason[] = []): Promise<TokenResponse> {
    const { signal, watch } = order;
    const server = await servers.get(signal);
    try {
      return await exchangeOnce(server, order);
    } catch (thrown) {
      const { failure, serverSkew, refreshToken } = thrown instanceof Refusal ? thrown : new Refusal(thrown);
      if (refreshToken !== undefined) watch.onRotatedInRefusal?.(refreshToken);
      const reason = await repeatReasonOf(failure, server, serverSkew, signal);
      // What was rotated must not be sent again.
      if (!reason || tried.includes(reason) || signal.aborted || refreshToken !== undefined) throw failure;
      return exchange(order, [...tried, reason]);
    }
  }

  /** Decides whether the same exchange may succeed at once, and prepares it. */
  async function repeatReasonOf(
    failure: unknown,
    server: AuthorizationServer,
    serverSkew: number | undefined,
    signal: AbortSignal,
  ): Promise<RepeatReason | undefined> {
    // A web page, say, where the endpoint used to be. The grant may have been used up: only the next attempt looks again.
    if (failure instanceof InvalidTokenResponseError) servers.forget();
    if (!(failure instanceof TokenEndpointError)) return undefined;
    const { error, status } = failure;
    if (signs && BY_THE_CLOCK.test(error ?? '') && clock.adjust(serverSkew)) return 'clock';
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
    hooks: { ...(key && { [PROOF]: proofBy(() => key.handle(clock.skew())) }) },
    exchange: async (grant, parameters, signal, watch = {}) =>
      exchange({ grant, form: formOf(options, parameters), signal, watch }),
    requireBound: requireBoundBy(refuseUnbound),
    revoke: revokeBy(options, servers, authenticate, clock.skew),
  };
}

/** What servers answer when they find a signed assertion or proof outdated. */
const BY_THE_CLOCK = /^(invalid_client|invalid_dpop_proof|use_dpop_nonce)$/;

const MOVED = (status: number): boolean =>
  (status >= 300 && status < 400) || status === 404 || status === 405 || status === 410;

/** RFC 9449 section 5: whoever wants the protection discards a token that is not bound. */
const refuseUnboundBy =
  (key: DpopKey | undefined) =>
  (token: TokenResponse, where: string): void => {
    if (key && token.token_type !== 'DPoP')
      throw new InvalidTokenResponseError(`${where} a token that is not bound to the key, though dpop was asked for`);
  };

const requireBoundBy =
  (refuseUnbound: (token: TokenResponse, where: string) => void): TokenEndpoint['requireBound'] =>
  (response) => {
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
  };
