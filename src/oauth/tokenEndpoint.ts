import { InvalidTokenResponseError, TokenEndpointError } from '../errors.js';
import { PROOF } from '../internal/sourceHooks.js';
import { checkTokenResponse } from '../token/tokenResponse.js';
import type { TokenResponse } from '../token/types.js';
import { refreshTokenIn, tokenResponseOf, type Answer } from './answer.js';
import { lookupOf, type AuthorizationServer, type ServerLookup } from './authorizationServer.js';
import { checkedOptions, type CheckedOptions } from './checkOptions.js';
import { clientAuthOf } from './clientAuth.js';
import { dpopHandleOf, proofBy } from './dpop.js';
import type { OAuthOptions } from './options.js';
import { revokeBy } from './revoke.js';
import { serverClock, type ServerClock } from './serverClock.js';
import { tokenRequestBy, type GrantRequest } from './tokenRequest.js';

export type TokenEndpoint = ReturnType<typeof tokenEndpoint>;

/** Exchanges grants for tokens. Checks the options, so call it when the source is created. */
export function tokenEndpoint(given: OAuthOptions) {
  const options = checkedOptions(given);
  const servers = lookupOf(options);
  const authenticate = clientAuthOf(options);
  const clock = serverClock();
  const dpopHandle = dpopHandleOf(options.dpop, clock);
  const send = tokenRequestBy(options, authenticate, clock, dpopHandle);
  const repeatReasonOf = repeatReasonBy(options, servers, clock);
  /** RFC 9449 section 5: a client that wants the protection discards a token that is not bound. */
  const isUnbound = ({ token_type }: TokenResponse) =>
    dpopHandle !== undefined && !/^\s*dpop\s*$/i.test(token_type ?? '');

  /** Repeats a request at once where that needs no new decision of the caller. */
  async function exchange(request: GrantRequest, repeats: readonly RepeatReason[] = []): Promise<TokenResponse> {
    const { signal } = request;
    const server = await servers.get(signal);
    let answer: Answer | undefined;
    try {
      answer = await send(server, request);
      const token = tokenResponseOf(answer);
      if (isUnbound(token)) throw new InvalidTokenResponseError(`${answer.name} and ${UNBOUND}`);
      // A server that checks a proof's age by a nonce ignores the clock; a resource server may not.
      if (dpopHandle) clock.adjust(answer.clockSkew);
      return token;
    } catch (failure) {
      const rotated = answer && refreshTokenIn(answer);
      if (rotated !== undefined) await request.onRotated?.(rotated);
      const reason = await repeatReasonOf(failure, server, answer?.clockSkew, signal);
      // The refresh token in the form is used up where a new one came.
      if (!reason || repeats.includes(reason) || signal.aborted || rotated !== undefined) throw failure;
      return exchange(request, [...repeats, reason]);
    }
  }

  return {
    /** What a source on this endpoint does besides fetching. */
    hooks: { ...(dpopHandle && { [PROOF]: proofBy(dpopHandle) }) },
    exchange: (request: GrantRequest) => exchange(request),
    /** Demands of a response that came in another way what is demanded of the server's: that it is bound to the key. */
    requireBound: (response: TokenResponse): TokenResponse => {
      checkTokenResponse(response);
      if (!isUnbound(response)) return response;
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

/** Why the same exchange is sent again at once; each at most once per exchange. */
type RepeatReason = 'nonce' | 'clock' | 'moved';

/** Decides whether an exchange that failed may succeed at once, and prepares that. */
function repeatReasonBy(options: CheckedOptions, servers: ServerLookup, clock: ServerClock) {
  const usesDpop = options.dpop !== undefined && options.dpop !== false;
  const signs = usesDpop || (options.clientAuth === 'private_key_jwt' && options.clientAssertion === undefined);
  return async (
    failure: unknown,
    server: AuthorizationServer,
    clockSkew: number | undefined,
    signal: AbortSignal,
  ): Promise<RepeatReason | undefined> => {
    // A web page, say, where the endpoint used to be. The grant may have been used up: only the next attempt looks
    // again.
    if (failure instanceof InvalidTokenResponseError) servers.forget();
    if (!(failure instanceof TokenEndpointError)) return undefined;
    const { error, status } = failure;
    if (signs && BY_THE_CLOCK.test(error ?? '') && clock.adjust(clockSkew)) return 'clock';
    if (usesDpop && error === 'use_dpop_nonce') return 'nonce'; // oauth4webapi keeps the nonce of every answer
    // A router that knows no such path has an `error` of its own to say so: `{ "error": "Not Found" }`.
    const moved = status !== undefined && MOVED(status);
    if (!servers.discovered || (error !== undefined && !moved)) return undefined;
    servers.forget();
    // Not after a network failure or a 5xx: the grant may have been used up, and the next attempt looks again anyway.
    if (!moved) return undefined;
    const now = await servers.get(signal).catch(() => server);
    return now.token_endpoint === server.token_endpoint ? undefined : 'moved';
  };
}

/** What servers answer when they find a signed assertion or proof outdated. */
const BY_THE_CLOCK = /^(invalid_client|invalid_dpop_proof|use_dpop_nonce)$/;

const MOVED = (status: number): boolean =>
  (status >= 300 && status < 400) || status === 404 || status === 405 || status === 410;
