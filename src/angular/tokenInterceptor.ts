import {
  HttpContext,
  HttpContextToken,
  HttpErrorResponse,
  HttpEventType,
  type HttpEvent,
  type HttpInterceptorFn,
} from '@angular/common/http';
import { inject, NgZone } from '@angular/core';
import { defer, filter, finalize, merge, observeOn, Subject, subscribeOn, type Observable } from 'rxjs';
import { authorizationOf, resourceOf, type Destinations } from '../http/authorize.js';
import { isRejection } from '../token/rejection.js';
import { managerOf } from '../token/tokenStream.js';
import { withToken } from '../token/withToken.js';
import { DESTINATIONS, TOKEN_STREAM } from './provideTokenStream.js';
import { within } from './zoneScheduler.js';

const WITHOUT_TOKEN = /* @__PURE__ */ new HttpContextToken(() => false);

/**
 * The context of a request that goes without a token, even to an allowed origin.
 *
 * ```ts
 * http.get('https://api.example.com/health', { context: withoutToken() });
 * ```
 *
 * @param context one to add this to. Default: a new one.
 */
export const withoutToken = (context: HttpContext = new HttpContext()): HttpContext => context.set(WITHOUT_TOKEN, true);

/**
 * Makes the requests of `HttpClient` ride on the stream of {@link provideTokenStream}.
 *
 * A request to an allowed origin takes the latest token. A 401 or 403 causes one refresh, shared by all who were refused,
 * and one repeat; the second refusal reaches the caller as Angular's own `HttpErrorResponse`. All others pass untouched: those to
 * other origins, with an Authorization header of their own, with {@link withoutToken}, the token source's, and every
 * request during server rendering.
 *
 * ```ts
 * import { provideHttpClient, withInterceptors } from '@angular/common/http';
 * import { tokenInterceptor } from 'rx-fresh-token/angular';
 *
 * const providers = [provideHttpClient(withInterceptors([tokenInterceptor]))];
 * ```
 *
 * The response errors with {@link TokenUnavailableError} when no usable token comes in time, {@link TokenStreamClosedError}
 * after the stream was closed, or as Angular does.
 */
export const tokenInterceptor: HttpInterceptorFn = (request, next) => {
  const asIs = request.context.get(WITHOUT_TOKEN) || request.method === 'JSONP' || request.headers.has('Authorization');
  const url = asIs ? null : permitted(inject(DESTINATIONS), request.url);
  if (url === null) return next(request);
  // Only now: what goes untouched, such as a configuration that the factory will read, must not call the factory.
  const token$ = inject(TOKEN_STREAM);
  if (managerOf(token$).owns()) return next(request);
  const zone = inject(NgZone);

  const answer$ = defer(() => {
    const progress$ = new Subject<HttpEvent<unknown>>();
    // Only the response says whether the token was good. What comes before it goes past, in its order.
    const isResponse = (event: HttpEvent<unknown>) => {
      if (event.type === HttpEventType.Response) return true;
      progress$.next(event);
      return false;
    };
    const response$ = withToken(
      token$,
      (token) =>
        here(defer(() => next(request.clone({ setHeaders: { Authorization: authorizationOf(token) } })))).pipe(
          filter(isResponse),
        ),
      {
        key: resourceOf(request.method, url),
        // A redirect to another origin did not carry the token.
        isRejection: (outcome) =>
          outcome instanceof HttpErrorResponse &&
          isRejection(outcome) &&
          originFrom(outcome.url, url) === originFrom('', url),
      },
    );
    return merge(
      progress$,
      response$.pipe(
        finalize(() => {
          progress$.complete();
        }),
      ),
    );
  });

  // A token is waited for outside of Angular's zone; whoever asked within it sends and is answered within it.
  const zoned = NgZone.isInAngularZone();
  const scheduler = within((run) => zone.run(run));
  const here = <T>(source$: Observable<T>) => (zoned ? source$.pipe(subscribeOn(scheduler)) : source$);
  return zoned
    ? answer$.pipe(subscribeOn(within((run) => zone.runOutsideAngular(run))), observeOn(scheduler))
    : answer$;
};

/** The absolute URL of a request that may carry the token. */
function permitted(destinations: Destinations | null, url: string): string | null {
  try {
    return destinations?.check(url) ?? null;
  } catch {
    return null;
  }
}

/** The origin of what answered. Angular may word its URL as the request did: relative. */
function originFrom(url: string | null, base: string): string | null {
  try {
    return new URL(url ?? '', base).origin;
  } catch {
    return null;
  }
}
