/** Exchanges a grant for a token: discovery, the request, and its repeat if the server asks for one. */
import { TokenEndpointError } from '../errors.js';
import { isKnownCode } from '../internal/oauthErrors.js';
import { GIVEN_BY, ON_CLOSE, ON_SIGN_OUT, PROOF } from '../internal/hiddenMembers.js';
import { isMarkedPermanent, permanentError } from '../token/permanentError.js';
import type { SourceHooks } from '../token/sourceHooks.js';
import { checkTokenResponse, copyOf } from '../token/tokenResponse.js';
import type { TokenRequest, TokenResponse, TokenSource } from '../token/types.js';
import { tokenResponseOf, type Answer } from './answer.js';
import { createServerLookup } from './authorizationServer.js';
import { checkedOptions } from './checkOptions.js';
import { createClientIdentity } from './clientAuth.js';
import { createDpopHandle, createProof } from './dpop.js';
import type { OAuthOptions } from './options.js';
import { createRevoke } from './revoke.js';
import { createTokenRequestSender, type GrantRequest } from './tokenRequest.js';

export type TokenEndpoint = ReturnType<typeof createTokenEndpoint>;

type OnEnd = NonNullable<SourceHooks[typeof ON_SIGN_OUT]>;

/** Exchanges grants for tokens. Checks the options, so call it when the source is created. */
export function createTokenEndpoint(given: OAuthOptions) {
  const options = checkedOptions(given);
  const servers = createServerLookup(options);
  /** Seconds by which the server's clock is ahead of ours: assertions and proofs are signed by it. */
  let skew = 0;
  const identity = createClientIdentity(options, () => skew);
  const dpopHandle = createDpopHandle(options.dpop, () => skew);
  const send = createTokenRequestSender(options, identity, dpopHandle);
  const hasSignature =
    dpopHandle !== undefined || (options.clientAuth === 'private_key_jwt' && options.clientAssertion === undefined);
  /** RFC 9449 section 5: a client that wants the protection discards a token that is not bound. */
  const isBound = ({ token_type }: TokenResponse) => !dpopHandle || /^\s*dpop\s*$/i.test(token_type ?? '');

  /** Takes the server's clock for the next signatures, if the difference is not tolerated. */
  function adjustClock(told: number | undefined, tolerance: number): boolean {
    if (told === undefined || Math.abs(told - skew) <= tolerance) return false;
    skew = told;
    return true;
  }

  /** Sets the clock, if that is wrong. @returns why the same exchange may succeed now */
  function prepareRepeat(error: string, clockSkew: number | undefined): RepeatReason | undefined {
    if (hasSignature && BY_THE_CLOCK.test(error) && adjustClock(clockSkew, TOLERANCE.refused)) return 'clock';
    return dpopHandle && error === 'use_dpop_nonce' ? 'nonce' : undefined; // oauth4webapi keeps the nonce
  }

  async function exchange(request: GrantRequest, repeats: readonly RepeatReason[] = []): Promise<TokenResponse> {
    let answer: Answer | undefined;
    const mayHaveMoved = servers.isKept();
    try {
      answer = await send(await servers.get(request.signal), request);
      const token = tokenResponseOf(answer);
      if (!isBound(token)) {
        request.onDiscarded?.(token);
        throw unbound(`${answer.name} and`);
      }
      // A server that checks a proof's age by a nonce ignores the clock; a resource server may not.
      if (dpopHandle) adjustClock(answer.clockSkew, TOLERANCE.accepted);
      return token;
    } catch (failure) {
      const { error = '' } = failure instanceof TokenEndpointError ? failure : {};
      if (!isKnownCode(error)) servers.forget(); // a code of OAuth comes from the right server
      // A redirect is permanent, unless the endpoint is of an earlier discovery: it may have moved.
      if (mayHaveMoved && failure instanceof TokenEndpointError && isMarkedPermanent(failure))
        throw new TokenEndpointError(failure.message, failure);
      const reason = prepareRepeat(error, answer?.clockSkew);
      if (!reason || repeats.includes(reason)) throw failure;
      return exchange(request, [...repeats, reason]);
    }
  }

  return {
    proof: dpopHandle && createProof(dpopHandle, options.dpop === true),
    revokesOnClose: options.revokeOnClose === true,
    exchange: (request: GrantRequest) => exchange(request),
    /** Checks the response of `reauthenticate` like that of the server: it has a token, bound to the key with dpop. */
    checkSignIn: (response: unknown): TokenResponse => {
      checkTokenResponse(response);
      if (!isBound(response)) throw unbound('reauthenticate gave');
      return response;
    },
    revoke: createRevoke(options, servers, identity),
  };
}

/** What a token source does. */
interface Actions {
  readonly fetch: (request: TokenRequest) => Promise<TokenResponse>;
  readonly onSignOut: OnEnd;
  /** For the option `revokeOnClose`. */
  readonly onClose: OnEnd;
}

/** A token source on the endpoint. The stream finds its hooks also behind a function that returns its response. */
export function sourceOn(
  { proof, revokesOnClose }: TokenEndpoint,
  { fetch, onSignOut, onClose }: Actions,
): TokenSource {
  const source: TokenSource = async (request) => {
    // A copy: what `reauthenticate` gave is the user's, who may give it to two sources.
    return Object.defineProperty(copyOf(await fetch(request)), GIVEN_BY, { value: source });
  };
  const define = (hook: keyof SourceHooks, value: unknown) => Object.defineProperty(source, hook, { value });
  if (proof) define(PROOF, proof);
  if (revokesOnClose) define(ON_CLOSE, onClose);
  return define(ON_SIGN_OUT, onSignOut);
}

const unbound = (origin: string) =>
  permanentError(`${origin} a token that is not bound to the key, though dpop was asked for`);

/** Why the same exchange is sent again at once; each at most once per exchange. */
type RepeatReason = 'nonce' | 'clock';

/** Seconds by which the clocks may differ. Some servers refuse what is signed a second ahead of their clock. */
const TOLERANCE = { refused: 1, accepted: 30 };

/** What servers answer when they find a signed assertion or proof outdated. */
const BY_THE_CLOCK = /^(invalid_client|unauthorized_client|invalid_dpop_proof|use_dpop_nonce)$/;
