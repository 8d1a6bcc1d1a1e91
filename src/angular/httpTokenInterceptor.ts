/** The public class `HttpTokenInterceptor`, for applications that still register interceptors as classes. */
import type { HttpEvent, HttpHandler, HttpInterceptor, HttpRequest } from '@angular/common/http';
import { inject, Injector, runInInjectionContext } from '@angular/core';
import type { Observable } from 'rxjs';
import { tokenInterceptor } from './tokenInterceptor.js';

/**
 * {@link tokenInterceptor} as a class, for applications that provide interceptors by `HTTP_INTERCEPTORS`.
 *
 * ```ts
 * import { HTTP_INTERCEPTORS, provideHttpClient, withInterceptorsFromDi } from '@angular/common/http';
 * import { HttpTokenInterceptor } from 'rx-fresh-token/angular';
 *
 * const providers = [
 *   provideHttpClient(withInterceptorsFromDi()),
 *   { provide: HTTP_INTERCEPTORS, useClass: HttpTokenInterceptor, multi: true },
 * ];
 * ```
 */
export class HttpTokenInterceptor implements HttpInterceptor {
  readonly #injector = inject(Injector);

  intercept(request: HttpRequest<unknown>, next: HttpHandler): Observable<HttpEvent<unknown>> {
    return runInInjectionContext(this.#injector, () => tokenInterceptor(request, (sent) => next.handle(sent)));
  }
}
