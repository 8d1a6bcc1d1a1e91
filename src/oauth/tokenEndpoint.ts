import { InvalidTokenResponseError, TokenEndpointError } from '../errors.js';
import { PROOF } from '../internal/sourceHooks.js';
import type { SourceHooks } from '../token/proof.js';
import type { TokenResponse } from '../token/types.js';
import { refreshTokenIn, schemeOf, tokenResponseOf, type Answer } from './answer.js';
import { lookupOf, type AuthorizationServer } from './authorizationServer.js';
import { checkOptions } from './checkOptions.js';
import { clientAuthOf } from './clientAuth.js';
import { dpopHandleOf, proofBy } from './dpop.js';
import { formOf, type Parameters } from './form.js';
import { copyOf, type OAuthOptions } from './options.js';
import { revokeBy, type Revoke } from './revoke.js';
import { serverClock } from './serverClock.js';
import { tokenRequestBy, type GrantRequest } from './tokenRequest.js';

/** Exchanges a grant for a token. It repeats a request at once where that needs no new decision of the caller. */
export interface TokenEndpoint {
  /** What a source on this endpoint does besides fetching. */
  readonly hooks: SourceHooks;
  exchange(grantType: string, parameters: Parameters, signal: AbortSignal, on?: ExchangeEvents): Promise<TokenResponse>;
  /** Demands of a response that came in another way what is demanded of the server's: that it is bound to the key. Spells its scheme. */
  readonly requireBound: (response: TokenResponse) => TokenResponse;
  readonly revoke: Revoke;
}

export interface ExchangeEvents {
  readonly send?: GrantRequest['onSend'];
  /** The answer is refused, but it held this new refresh token. The exchange fails when the promise settles. */
  readonly rotated?: (refreshToken: string) => Promise<void>;
}

/** Why the same exchange is sent again at once; each at most once per exchange. */
type RepeatReason = 'nonce' | 'clock' | 'moved';

/** Checks the options, so call it when the source is created. */
export function tokenEndpoint(given: OAuthOptions): TokenEndpoint {
  checkOptions(given);
  const options = copyOf(given);
  const servers = lookupOf(options);
  const authenticate = clientAuthOf(options);
  const clock = serverClock();
  const dpopHandle = dpopHandleOf(options.dpop, clock);
  const signs =
    dpopHandle !== undefined || (options.clientAuth === 'private_key_jwt' && options.clientAssertion === undefined);
  const send = tokenRequestBy(options, authenticate, clock, dpopHandle);
  /** RFC 9449 section 5: a client that wants the protection discards a token that is not bound. */
  const isUnbound = (token: TokenResponse) => dpopHandle !== undefined && token.token_type !== 'DPoP';

  async function exchange(
    request: GrantRequest,
    on: ExchangeEvents,
    repeats: readonly RepeatReason[] = [],
  ): Promise<TokenResponse> {
    const { signal } = request;
    const server = await servers.get(signal);
    let answer: Answer | undefined;
    try {
      answer = await send(server, request);
      const token = tokenResponseOf(answer);
      if (isUnbound(token)) throw new InvalidTokenResponseError(`${answer.place} answered with ${UNBOUND}`);
      // A server that checks a proof's age by a nonce ignores the clock; a resource server may not.
      if (dpopHandle) clock.adjust(answer.clockSkew);
      return token;
    } catch (failure) {
      const rotated = answer && refreshTokenIn(answer);
      if (rotated !== undefined) await on.rotated?.(rotated);
      const reason = await repeatReasonOf(failure, server, answer?.clockSkew, signal);
      // The refresh token in the form is used up where a new one came.
      if (!reason || repeats.includes(reason) || signal.aborted || rotated !== undefined) throw failure;
      return exchange(request, on, [...repeats, reason]);
    }
  }

  /** Decides whether the same exchange may succeed at once, and prepares it. */
  async function repeatReasonOf(
    failure: unknown,
    server: AuthorizationServer,
    clockSkew: number | undefined,
    signal: AbortSignal,
  ): Promise<RepeatReason | undefined> {
    // A web page, say, where the endpoint used to be. The grant may have been used up: only the next attempt looks again.
    if (failure instanceof InvalidTokenResponseError) servers.forget();
    if (!(failure instanceof TokenEndpointError)) return undefined;
    const { error, status } = failure;
    if (signs && BY_THE_CLOCK.test(error ?? '') && clock.adjust(clockSkew)) return 'clock';
    if (dpopHandle && error === 'use_dpop_nonce') return 'nonce'; // oauth4webapi keeps the nonce of every answer
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
    hooks: { ...(dpopHandle && { [PROOF]: proofBy(dpopHandle) }) },
    exchange: async (grantType, parameters, signal, on = {}) =>
      exchange({ grantType, form: formOf(options, parameters), signal, onSend: on.send }, on),
    requireBound: (response) => {
      const type = (response as TokenResponse | undefined)?.token_type;
      if (typeof (response as TokenResponse | undefined)?.access_token !== 'string') return response; // the stream says what is wrong with it
      const token =
        typeof type === 'string' && schemeOf(type) !== type ? { ...response, token_type: schemeOf(type) } : response;
      if (!isUnbound(token)) return token;
      const message = `reauthenticate gave ${UNBOUND}`;
      // Without a refresh token the next attempt could only ask the user again.
      throw response.refresh_token
        ? new InvalidTokenResponseError(message)
        : new TokenEndpointError(message, { error: 'invalid_grant' });
    },
    revoke: revokeBy(options, servers, authenticate, clock.skew),
  };
}

const UNBOUND = 'a token that is not bound to the key, though dpop was asked for';

/** What servers answer when they find a signed assertion or proof outdated. */
const BY_THE_CLOCK = /^(invalid_client|invalid_dpop_proof|use_dpop_nonce)$/;

const MOVED = (status: number): boolean =>
  (status >= 300 && status < 400) || status === 404 || status === 405 || status === 410;
