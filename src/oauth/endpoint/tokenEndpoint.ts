/** Exchanges a grant for a token: discovery, the request, and its repeat if the server asks for one. */
import { TokenEndpointError } from '../../errors.js';
import { isKnownCode } from '../../answers/oauthErrors.js';
import { GIVEN_BY, ON_CLOSE, ON_SIGN_OUT, PROOF } from '../../internal/hiddenMembers.js';
import { isMarkedPermanent, permanentError } from '../../answers/permanentError.js';
import type { SourceHooks, TokenProof } from '../../token/sourceHooks.js';
import { checkTokenResponse, copyOfTokenResponse } from '../../answers/tokenResponse.js';
import type { TokenResponse, TokenSource } from '../../token/types.js';
import { clockSkewOf, tokenResponseOf, type Answer } from './answer.js';
import { ServerLookup } from './authorizationServer.js';
import { checkedOptions, type CheckedOptions } from '../checks/checkOptions.js';
import { clientIdentity, type ClientIdentity } from './clientAuth.js';
import { createDpopHandle, createProof, type DpopHandle } from './dpop.js';
import type { OAuthOptions } from '../options.js';
import { sendRevocation, type TokenHint } from './revoke.js';
import { sendTokenRequest, type GrantRequest } from './tokenRequest.js';

export type OnEnd = NonNullable<SourceHooks[typeof ON_SIGN_OUT]>;

/**
 * Exchanges grants for tokens. A class, since a pool has a source for each key: its closures would take several times
 * the memory. Nothing prints it: only the closures of the source have it.
 */
export class TokenEndpoint {
  readonly proof: TokenProof | undefined;
  private readonly options: CheckedOptions;
  private readonly servers: ServerLookup;
  private readonly dpopHandle: DpopHandle | undefined;
  /** Seconds by which the server's clock is ahead of ours: assertions and proofs are signed by it. */
  private skew = 0;

  /** Checks the options, so call it when the source is created. */
  constructor(given: OAuthOptions) {
    const options = checkedOptions(given);
    this.options = options;
    this.servers = new ServerLookup(options);
    this.dpopHandle = createDpopHandle(options.dpop, () => this.skew);
    this.proof = this.dpopHandle && createProof(this.dpopHandle, options.dpop === true);
  }

  get revokesOnClose(): boolean {
    return this.options.revokeOnClose === true;
  }

  async exchange(request: GrantRequest, repeats: readonly RepeatReason[] = []): Promise<TokenResponse> {
    const { servers, options, dpopHandle } = this;
    let answer: Answer | undefined;
    const mayHaveMoved = servers.isKept();
    try {
      const server = await servers.get(request.signal);
      answer = await sendTokenRequest(server, request, options, this.identity(request.signal), dpopHandle);
      const token = tokenResponseOf(answer);
      if (!this.isBound(token)) {
        request.onDiscarded?.(token);
        throw unbound(`${answer.name} and`);
      }
      // A server that checks a proof's age by a nonce ignores the clock; a resource server may not.
      if (dpopHandle) this.adjustClock(answer, TOLERANCE.accepted);
      return token;
    } catch (failure) {
      const { error = '' } = failure instanceof TokenEndpointError ? failure : {};
      if (!isKnownCode(error)) servers.forget(); // a code of OAuth comes from the right server
      // A redirect is permanent, unless the endpoint is of an earlier discovery: it may have moved.
      if (mayHaveMoved && !answer && failure instanceof TokenEndpointError && isMarkedPermanent(failure))
        throw new TokenEndpointError(failure.message, failure);
      const { skew } = this;
      const reason = this.prepareRepeat(error, answer);
      try {
        if (!reason || repeats.includes(reason)) throw failure;
        return await this.exchange(request, [...repeats, reason]);
      } catch (last) {
        // Only a repeat whose signature is accepted proves that the clock was to blame: `Date` may be that of a cache.
        if (!provesSignature(last)) this.skew = skew;
        throw last;
      }
    }
  }

  /** Checks the response of `reauthenticate` like that of the server: it has a token, bound to the key with dpop. */
  checkSignIn(response: unknown): TokenResponse {
    checkTokenResponse(response);
    if (!this.isBound(response)) throw unbound('reauthenticate gave');
    return response;
  }

  /**
   * Revokes a token (RFC 7009) where the server has an endpoint for it. Best effort: there is no subscriber left to
   * tell of a failure. `reauthenticate` may return a refresh_token of any type.
   */
  revoke(token: unknown, hint: TokenHint = 'access_token'): void {
    if (typeof token !== 'string' || token === '') return;
    const identity = (signal: AbortSignal) => this.identity(signal);
    sendRevocation(token, hint, this.options, this.servers, identity).catch(() => undefined);
  }

  private identity(signal: AbortSignal): ClientIdentity {
    return clientIdentity(this.options, this.skew, signal);
  }

  /** RFC 9449 section 5: a client that wants the protection discards a token that is not bound. */
  private isBound({ token_type }: TokenResponse): boolean {
    return !this.dpopHandle || /^\s*dpop\s*$/i.test(token_type ?? '');
  }

  /** Takes the server's clock for the next signatures, if the difference is not tolerated. */
  private adjustClock(answer: Answer | undefined, tolerance: number): boolean {
    const told = answer && clockSkewOf(answer);
    if (told === undefined || Math.abs(told - this.skew) <= tolerance) return false;
    this.skew = told;
    return true;
  }

  /** Sets the clock, if that is wrong. @returns why the same exchange may succeed now */
  private prepareRepeat(error: string, answer: Answer | undefined): RepeatReason | undefined {
    const { dpopHandle } = this;
    const { clientAuth, clientAssertion } = this.options;
    const hasSignature = !!dpopHandle || (clientAuth === 'private_key_jwt' && clientAssertion === undefined);
    if (hasSignature && BY_THE_CLOCK.test(error) && this.adjustClock(answer, TOLERANCE.refused)) return 'clock';
    return dpopHandle && error === 'use_dpop_nonce' ? 'nonce' : undefined; // oauth4webapi keeps the nonce
  }
}

/** The answer of a source. The stream finds its hooks also behind a function that returns its response. */
export const givenBy = (source: TokenSource, response: TokenResponse): TokenResponse =>
  // A copy: what `reauthenticate` gave is the user's, who may give it to two sources.
  Object.defineProperty(copyOfTokenResponse(response), GIVEN_BY, { value: source });

/** @param onClose for the option `revokeOnClose` */
export function withHooks(
  source: TokenSource,
  { proof, revokesOnClose }: TokenEndpoint,
  onSignOut: OnEnd,
  onClose: OnEnd,
): TokenSource {
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

/** The signature was accepted, if the refusal is about anything else, such as `invalid_grant`. */
const provesSignature = (failure: unknown): boolean => {
  const { error = '' } = failure instanceof TokenEndpointError ? failure : {};
  return isKnownCode(error) && !BY_THE_CLOCK.test(error);
};
