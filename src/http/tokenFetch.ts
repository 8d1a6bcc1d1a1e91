import { defaultIfEmpty, firstValueFrom, merge, Observable } from 'rxjs';
import { TokenStreamClosedError } from '../errors.js';
import { discard } from '../internal/discard.js';
import { onAbort } from '../internal/onAbort.js';
import { requireFunctions } from '../internal/validate.js';
import { isAcceptance, isExplicit, isRejection as isRejectionByDefault } from '../token/rejection.js';
import { managerOf } from '../token/tokenStream.js';
import type { TokenProof } from '../token/proof.js';
import type { AccessToken, TokenStream } from '../token/types.js';
import { Destinations } from './authorize.js';
import type { Answer } from './follow.js';
import {
  bringsAuthorization,
  isRepeatable,
  methodOf,
  outgoingOf,
  recordOf,
  resourceKey,
  signalOf,
  withAuthorization,
  type Authorize,
  type Outgoing,
} from './outgoing.js';
import { followRedirects, platformFetch, platformHeaders } from './transport.js';

export interface FetchOptions {
  /** Relative URLs are resolved against it, as against a folder. */
  baseUrl?: string | URL;
  /** The exact origins that may see the token. Default: the origin of `baseUrl`; without either, every call fails. https, or http on loopback. */
  allowedOrigins?: readonly string[];
  /** Default: the platform's fetch, or cross-fetch where there is none. */
  fetch?: typeof fetch;
  /** Puts the token into the request. Default: `Authorization: <type> <value>`. */
  authorize?: Authorize;
  /** Tells that the server refused the token. Default: 401, or 403 unless the challenge says `insufficient_scope`. */
  isRejection?: (response: Response) => boolean;
}

/** @param own the caller's signal, where `init.signal` is not it: it tells a token source's own requests */
export type TokenFetch = (
  input: string | URL | Request,
  init?: RequestInit,
  own?: AbortSignal | null,
) => Promise<Response>;

/** The shared engine of createFetch and createHttpClient. */
export function tokenFetch(token$: TokenStream, options: FetchOptions): TokenFetch {
  const manager = managerOf(token$);
  const destinations = new Destinations(options);
  const { authorize, isRejection = isRejectionByDefault, fetch: send = platformFetch } = options;
  requireFunctions({ authorize, isRejection, fetch: send });
  const redirect = followRedirects ? 'manual' : authorize ? 'error' : 'follow';

  /** Refusals for want of a nonce, of requests that cannot be sent again or were already: the token is not to blame. */
  const blameless = new WeakSet<Response>();

  function transmit(outgoing: Outgoing, token: AccessToken): Promise<Response> {
    const { init, request, url } = outgoing;
    const mode = init.redirect ?? request?.redirect ?? 'follow';
    const post = (headers: HeadersInit, signed?: { method: string }) =>
      send(request?.clone() ?? url, { ...init, ...signed, headers, redirect: mode === 'follow' ? redirect : mode });
    const headers = withAuthorization(outgoing, token, authorize);
    // The method that was signed: fetch leaves `patch` as it is written.
    if (manager.proof)
      return proven(outgoing, token, manager.proof, async (proof) =>
        post({ ...recordOf(await headers), ...proof }, { method: methodOf(outgoing) }),
      );
    return headers instanceof Promise ? headers.then(post) : post(headers);
  }

  /** A request bound to the source's key (RFC 9449): signed anew for each sending, and sent again for a server that wants a nonce in it. */
  async function proven(
    outgoing: Outgoing,
    token: AccessToken,
    proof: TokenProof,
    post: (headers: Readonly<Record<string, string>>) => Promise<Response>,
  ): Promise<Response> {
    const request = { method: methodOf(outgoing), url: outgoing.url, token };
    let response = await post(await proof.sign(request));
    if (!(await proof.learn(request, response))) return response;
    if (isRepeatable(outgoing)) {
      discard(response);
      response = await post(await proof.sign(request));
      if (!(await proof.learn(request, response))) return response;
    }
    blameless.add(response);
    return response;
  }

  /** The answer at the end of redirects. */
  function arrive(response: Response, outgoing: Outgoing, token: AccessToken): Answer | Promise<Answer> {
    const mode = outgoing.init.redirect ?? outgoing.request?.redirect ?? 'follow';
    if (mode !== 'follow') return { response, carried: true };
    if (followRedirects)
      return followRedirects(response, outgoing, {
        ride: (hop) => transmit(hop, token),
        send,
        headers: platformHeaders,
      });
    return { response, carried: !response.redirected || new URL(response.url).origin === new URL(outgoing.url).origin };
  }

  const isRefusal = ({ response, carried }: Answer): boolean =>
    carried && !blameless.has(response) && isRejection(response);

  const exchange = async (outgoing: Outgoing, token: AccessToken, response?: Response): Promise<Answer> =>
    arrive(response ?? (await transmit(outgoing, token)), outgoing, token);

  /** Waits for a token. A promise tells of it a moment later, and by then somebody else may have seen it refused. */
  async function takeFor(outgoing: Outgoing): Promise<AccessToken> {
    const token = await wanted(manager.take(), outgoing);
    return manager.newest(token) ?? takeFor(outgoing);
  }

  /** All that does not go smoothly: a token to wait for, redirects, a refusal with one refresh and one repeat. */
  async function ride(outgoing: Outgoing, token: AccessToken, response?: Response): Promise<Response> {
    const first = await exchange(outgoing, token, response);
    const keyOf = () => resourceKey(outgoing);
    if (!isRefusal(first)) {
      if (first.carried && isAcceptance(first.response)) manager.accepted(token, keyOf);
      return first.response;
    }
    const refusal = { token, explicit: isExplicit(first.response), key: keyOf() };
    if (!isRepeatable(outgoing)) {
      manager.reject(refusal);
      return first.response;
    }
    const next = await wanted(manager.recover(refusal).pipe(defaultIfEmpty(null)), outgoing);
    if (!next) return first.response;
    discard(first.response);
    const newest = manager.newest(next, token) ?? (await takeFor(outgoing));
    const second = await exchange(outgoing, newest);
    if (!isRefusal(second) && second.carried && isAcceptance(second.response)) manager.accepted(newest, keyOf);
    return second.response;
  }

  return (input, init = {}, own) => {
    const fail = (error: unknown): never => {
      throw plainError(error, signalOf({ init, request }));
    };
    let request: Request | undefined;
    try {
      request = typeof input === 'string' || 'href' in input ? undefined : input;
      const asked = request ? request.url : (input as string | URL).toString();
      if (manager.owns(own ?? init.signal)) return send(request ?? destinations.resolve(asked), init).catch(fail);
      if (manager.isClosed()) throw new TokenStreamClosedError();
      const outgoing = outgoingOf(destinations.check(asked), request, init);
      if (bringsAuthorization(outgoing)) return send(request ?? outgoing.url, init).catch(fail);
      const token = manager.use();
      if (!token) {
        return takeFor(outgoing)
          .then((next) => ride(outgoing, next))
          .catch(fail);
      }
      return transmit(outgoing, token).then((response) => {
        if (response.status >= 300 || isRejection !== isRejectionByDefault)
          return ride(outgoing, token, response).catch(fail);
        manager.accepted(token, () => resourceKey(outgoing));
        return response;
      }, fail);
    } catch (error) {
      return Promise.resolve().then(() => fail(error));
    }
  };
}

/** The first value; rejects as soon as the caller aborts. */
async function wanted<T>(value$: Observable<T>, outgoing: Outgoing): Promise<T> {
  const signal = signalOf(outgoing);
  signal?.throwIfAborted();
  if (!signal) return firstValueFrom(value$);
  const aborted$ = new Observable<never>((subscriber) =>
    onAbort(signal, () => {
      subscriber.error(signal.reason);
    }),
  );
  return firstValueFrom(merge(value$, aborted$));
}

/**
 * What every platform should say: the abort's own reason, a TypeError for a network that failed, and no secret.
 * node-fetch quotes the URL, and both quote a header's value.
 */
export function plainError(error: unknown, signal: AbortSignal | null | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  const { name, message, code, type } = (error ?? {}) as Partial<Record<'name' | 'message' | 'code' | 'type', string>>;
  if (name === 'FetchError')
    return new TypeError('fetch failed', { cause: Object.assign(new Error(code ?? type), { code }) });
  if ((error as { cause?: { code?: unknown } } | null)?.cause?.code === 'ERR_INVALID_URL')
    return new TypeError('the referrer cannot be parsed');
  return name === 'TypeError' && /(invalid|legal HTTP) header (name|value)/i.test(message ?? '')
    ? new TypeError('a header has a name or value that HTTP does not allow')
    : error;
}

/**
 * A fetch whose requests ride on the token stream. While the token is fresh it costs one synchronous check and a header.
 *
 * A 401 or 403 causes one refresh, shared by all who were refused, and one repeat; the second answer is the caller's. A
 * body that can be read only once is never sent twice. The token goes to `allowedOrigins` only, across no redirect to
 * another origin; an Authorization header of the caller's is left alone.
 *
 * ```ts
 * const fetch = createFetch(token$, { baseUrl: 'https://api.example.com' });
 * const response = await fetch('/orders');
 * ```
 *
 * @throws TypeError that names an option out of range. The promise rejects with {@link OriginNotAllowedError},
 *   {@link TokenUnavailableError} when no usable token comes in time, {@link TokenStreamClosedError}, or as fetch does.
 */
export function createFetch(token$: TokenStream, options: FetchOptions = {}): typeof globalThis.fetch {
  const ride = tokenFetch(token$, options);
  return (input, init) => ride(input, init);
}
