/** The public interceptor for `HttpClient`: chooses the stream, adds the token, and repeats after a rejection. */
import { isPlatformServer, PlatformLocation } from '@angular/common';
import {
  HttpErrorResponse,
  HttpEventType,
  HttpRequest,
  HttpResponse,
  type HttpEvent,
  type HttpHandlerFn,
  type HttpInterceptorFn,
} from '@angular/common/http';
import { inject, NgZone, PLATFORM_ID, untracked } from '@angular/core';
import { defer, filter, finalize, merge, observeOn, Subject, subscribeOn, takeUntil, tap, type Observable } from 'rxjs';
import { authorizationOf } from '../http/authorization.js';
import { resourceOf } from '../http/destinations.js';
import { mayHaveBeenAccepted } from '../http/redirect.js';
import { callPredicate } from '../internal/values/callPredicate.js';
import { ignoreRejection } from '../internal/async/ignoreRejection.js';
import { originOf } from '../internal/values/urls.js';
import { failAfter } from '../internal/time/timers.js';
import { isRejection as isRejectionByDefault } from '../answers/isRejection.js';
import { managerOf } from '../token/tokenStream.js';
import type { AccessToken, TokenStream } from '../token/types.js';
import { requestWith } from '../token/withToken.js';
import { givenRequest } from './givenRequest.js';
import {
  chooseStream,
  INJECTOR_DESTROYED,
  injectStreams,
  mayCarryToken,
  streamNamed,
  type Choice,
  type ProvidedStream,
} from './providedStreams.js';
import { TOKEN_OF, WITHOUT_TOKEN } from './requestContext.js';
import { within } from './zones.js';

/**
 * Gives the requests of `HttpClient` the token of the stream of {@link provideTokenStream}.
 *
 * A request to an allowed origin takes the latest token. After a 401 or 403 the token is refreshed once, for all
 * rejected requests, and the request is repeated once. If the repeat is rejected too, the caller gets Angular's
 * `HttpErrorResponse`. The body is copied when the request is made. `HttpClient`'s `timeout` includes the wait for a
 * token. These requests are not changed: those to other origins and paths, with an Authorization header of their own,
 * with {@link withoutToken}, and of the token source. During server-side rendering no request gets a token, and those
 * that need one stay out of Angular's transfer cache. Of several streams, the one with the longest matching path in
 * `paths` is used, or the one of {@link withTokenOf}.
 *
 * ```ts
 * import { provideHttpClient, withInterceptors } from '@angular/common/http';
 * import { tokenInterceptor } from 'rx-fresh-token/angular';
 *
 * const providers = [provideHttpClient(withInterceptors([tokenInterceptor]))];
 * ```
 *
 * The response errors with {@link TokenUnavailableError} when no usable token comes in time, {@link
 * TokenStreamClosedError} after the stream was closed, or as Angular does.
 */
export const tokenInterceptor: HttpInterceptorFn = (request, next) => {
  const choice = choiceFor(request);
  if (choice === null) return next(request);
  // What the server is answered without a token is no answer for the user: the browser asks again.
  if (choice === 'onServer') return next(request.clone({ transferCache: false }));
  // Only now: what goes untouched, such as a configuration that the factory will read, must not call the factory.
  const token$ = inject(choice.stream.token);
  const { isOfSource, proof } = managerOf(token$);
  if (isOfSource()) return next(request);
  if (proof) throw new TypeError('HttpClient cannot sign requests: use createFetch for DPoP');
  const zone = inject(NgZone);
  // A token is waited for outside of Angular's zone; whoever asked within it sends and is answered within it.
  const isInZone = NgZone.isInAngularZone();
  const intoZone = within((run) => zone.run(run));
  let isInFlight = false;
  const sendInZone: HttpHandlerFn = (sent) => {
    const sent$ = defer(() => next(sent)).pipe(
      tap({
        subscribe: () => (isInFlight = true),
        next: ({ type }) => (isInFlight = type !== HttpEventType.Response),
        error: () => (isInFlight = false),
      }),
    );
    return isInZone ? sent$.pipe(subscribeOn(intoZone)) : sent$;
  };
  // When the injector is destroyed, a waiting request completes: nobody is left to handle an error.
  const ended$ = inject(INJECTOR_DESTROYED).pipe(filter(() => !isInFlight));
  const answer$ = answerTo(givenRequest(request), choice, token$, sendInZone).pipe(
    // An effect that sends a request must not depend on signals that the token source reads.
    subscribeOn(within((run) => untracked(() => zone.runOutsideAngular(run)))),
    takeUntil(ended$),
  );
  return isInZone ? answer$.pipe(observeOn(intoZone)) : answer$;
};

/** The stream whose token the request carries; 'onServer': it would in the browser; null if it goes untouched. */
function choiceFor(request: HttpRequest<unknown>): Choice | 'onServer' | null {
  const { context, method, headers, url } = request;
  if (authorizedBefore.has(request) || context.get(WITHOUT_TOKEN) || method === 'JSONP' || headers.has('Authorization'))
    return null;
  const streams = injectStreams('tokenInterceptor');
  const name = context.get(TOKEN_OF);
  if (isPlatformServer(inject(PLATFORM_ID)))
    return name !== undefined || mayCarryToken(streams, url, inject(PlatformLocation)) ? 'onServer' : null;
  if (name === undefined) return chooseStream(streams, url);
  const stream = streamNamed(streams, name);
  return { stream, url: stream.destinations.check(url) };
}

function answerTo(
  request: HttpRequest<unknown>,
  { stream, url }: Choice,
  token$: TokenStream,
  send: HttpHandlerFn,
): Observable<HttpEvent<unknown>> {
  const key = resourceOf(request.method, url);
  return defer(() => {
    const progress$ = new Subject<HttpEvent<unknown>>();
    // Only the response says whether the token was good. What comes before it goes past, in its order.
    const isResponse = ({ type }: HttpEvent<unknown>) => type === HttpEventType.Response;
    const passProgress = (event: HttpEvent<unknown>) => {
      if (!isResponse(event)) progress$.next(event);
    };
    /** What the last sending ended with. */
    let outcomeBefore: unknown;
    const keep = (outcome: unknown) => void (outcomeBefore = outcome);
    const response$ = requestWith(
      (token) =>
        send(authorized(stream, pastCacheOfFetch(request, outcomeBefore), token)).pipe(
          tap(passProgress),
          filter(isResponse),
          tap<HttpEvent<unknown>>({ next: keep, error: keep }),
        ),
      { key, isRejection: (outcome) => isRejected(stream, outcome, url) },
      (outcome) => !mayHaveBeenAccepted(request.method, url, outcome as HttpErrorResponse),
    )(token$);
    const answer$ = merge(progress$, response$.pipe(finalize(() => progress$.complete())));
    const { timeout } = request;
    // Angular counts from the sending; the wait for the token and the repeat count too. Until version 19 there is no
    // timeout.
    const { timers } = managerOf(token$);
    return timeout ? answer$.pipe(takeUntil(failAfter(timers, timeout, () => timeoutError(request), true))) : answer$;
  });
}

/**
 * The request, and its repeat for a server: the HTTP cache of a browser may have kept the rejection. XMLHttpRequest
 * cannot pass its cache; only answers of fetch say `redirected`.
 */
function pastCacheOfFetch(request: HttpRequest<unknown>, rejection: unknown): HttpRequest<unknown> {
  const isByFetch = (rejection as HttpErrorResponse | undefined)?.redirected !== undefined;
  const { cache = 'default' } = request as { cache?: RequestCache };
  return isByFetch && cache === 'default' ? request.clone({ cache: 'reload' }) : request;
}

/** Requests with the token. `withRequestsMadeViaParent()` brings them here again. */
const authorizedBefore = /* @__PURE__ */ new WeakSet<HttpRequest<unknown>>();

function authorized(
  { authorize }: ProvidedStream,
  request: HttpRequest<unknown>,
  token: AccessToken,
): HttpRequest<unknown> {
  // What a server rendered without the token is not the answer. Angular from 18 on looks for the header itself.
  const transferCache = false;
  if (!authorize) return request.clone({ setHeaders: { Authorization: authorizationOf(token) }, transferCache });
  const sent: unknown = authorize(request, token);
  if (!(sent instanceof HttpRequest)) {
    ignoreRejection(sent);
    throw new TypeError('option "authorize" must return an HttpRequest');
  }
  // A browser takes no header but Authorization off a redirect to another origin.
  const ready = sent.clone({ transferCache, redirect: sent.redirect === 'manual' ? 'manual' : 'error' });
  authorizedBefore.add(ready);
  return ready;
}

function isRejected({ isRejection }: ProvidedStream, outcome: unknown, url: string): boolean {
  const isAnswer = outcome instanceof HttpErrorResponse || (isRejection && outcome instanceof HttpResponse);
  // A redirect to another origin did not carry the token. Angular may word the URL as the request did: relative.
  if (!isAnswer || originOf(outcome.url, url) !== originOf(url)) return false;
  return isRejection ? callPredicate(isRejection, outcome, 'isRejection') : isRejectionByDefault(outcome);
}

/** What Angular fails with after `timeout`. */
function timeoutError({ urlWithParams: url }: HttpRequest<unknown>): HttpErrorResponse {
  const error = new DOMException('Request timed out', 'TimeoutError');
  return new HttpErrorResponse({ error, status: 0, statusText: 'Request timeout', url });
}
