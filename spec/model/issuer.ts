import { Observable, type Subscription } from 'rxjs';
import { TokenEndpointError, type TokenResponse, type TokenSource } from 'rx-fresh-token';
import type { Facts } from './facts.js';
import type { Fetches } from './fetches.js';
import type { History, TokenAnswer } from './history.js';
import type { Issued } from './lifetimes.js';

/** What servers know of tokens. */
export interface Registry {
  /** When each token was issued. */
  readonly issuedReal: Map<string, number>;
  readonly revoked: Set<string>;
}

export interface IssuerWorld {
  readonly facts: Facts;
  readonly fetches: Fetches;
  readonly registry: Registry;
  readonly isNeeded: () => boolean;
  readonly later: (delay: number, what: () => void) => Subscription;
  readonly log: ((line: string) => void) | undefined;
  /** Of the issuer, in ms. */
  readonly clock: () => number;
}

const jwtOf = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;

/** A token source that does what the history says. */
export function issuerOf(
  { issuer, scale }: History,
  { facts, fetches, registry, isNeeded, later, log, clock }: IssuerWorld,
): TokenSource {
  const { kind, first, forever, latency, revokesOld } = issuer;
  const usual: TokenAnswer = forever ?? { kind: 'token', latency };
  let asks = 0;
  let issued = 0;
  let last: (Issued & { readonly until: number }) | null = null;

  /** A new token, unless the source caches. */
  function issue({ kind: answer, lifetime }: TokenAnswer): Issued {
    const now = clock();
    const isCached = kind === 'static' || (kind.startsWith('cached') && !!last && now < last.until);
    const isJwt = kind === 'jwt' || kind === 'cachedJwt';
    if (last && (isCached || answer === 'same')) {
      const { value, until, claims } = last;
      if (kind === 'cached') return { value, expiresIn: until - now + scale / 5 };
      return { value, expiresIn: last.expiresIn, ...(claims && { claims }) };
    }
    issued++;
    const life = typeof lifetime === 'number' && kind !== 'static' ? lifetime : scale;
    const claims = { iat: now / 1000, exp: (now + life) / 1000, jti: issued };
    const isSilent = isJwt || lifetime === 'none' || lifetime === 'nonsense';
    const value = isJwt ? jwtOf(claims) : `T${String(issued)}`;
    if (revokesOld && last) {
      for (const old of registry.issuedReal.keys()) registry.revoked.add(old);
      facts.trouble();
    }
    registry.issuedReal.set(value, facts.real);
    last = {
      value,
      expiresIn: isSilent ? undefined : life,
      ...(isJwt && { claims }),
      until: now + scale * 0.8,
    };
    return last;
  }

  return (request) => {
    const answer = first[asks++] ?? usual;
    log?.(`asked, ${request.reason} ${String(request.attempt)}: ${JSON.stringify(answer)}`);
    fetches.asked(request, isNeeded());
    if (answer.kind === 'throw' || answer.kind === 'mistake') {
      fetches.answered(null, answer);
      if (answer.kind === 'mistake') return undefined as never;
      throw new Error('thrown by the source');
    }
    return new Observable<TokenResponse>((subscriber) => {
      const give = () => {
        const token = answer.kind === 'token' || answer.kind === 'same' ? issue(answer) : null;
        log?.(`answered: ${token?.value ?? answer.kind}`);
        fetches.answered(token, answer);
        const error = failureOf(answer);
        if (token) subscriber.next(responseOf(token, answer));
        else if (answer.kind === 'invalid') subscriber.next({ access_token: '' });
        else if (answer.kind === 'oauthError') subscriber.next({ error: 'invalid_grant' } as unknown as TokenResponse);
        else if (error) subscriber.error(error);
        subscriber.complete();
      };
      subscriber.add(() => {
        fetches.released(request);
      });
      if (answer.kind === 'hang') return;
      if (answer.latency === null) give();
      else subscriber.add(later(answer.latency, give));
    });
  };
}

const responseOf = ({ value, expiresIn }: Issued, { lifetime }: TokenAnswer): TokenResponse => ({
  access_token: value,
  ...(expiresIn !== undefined && { expires_in: expiresIn / 1000 }),
  ...(expiresIn === undefined && lifetime === 'nonsense' && { expires_in: 'soon' }),
});

function failureOf({ kind, retryAfter }: TokenAnswer): Error | null {
  if (kind === 'permanent') return new TokenEndpointError('no', { status: 400, error: 'invalid_client' });
  if (kind !== 'transient') return null;
  return new TokenEndpointError('later', { status: 503, ...(retryAfter !== undefined && { retryAfter }) });
}
