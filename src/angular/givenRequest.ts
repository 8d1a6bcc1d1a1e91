/** Copies the body of an Angular request at the call, so that a later change by the caller is not sent. */
import { HttpParams, type HttpRequest } from '@angular/common/http';
import { copyOfJsonBody } from '../http/requestBody.js';

/**
 * The request with its body as it is now: the caller may change the body while the token is awaited, or before the
 * repeat. Angular's headers and params cannot change.
 */
export function givenRequest<T>(request: HttpRequest<T>): HttpRequest<T> {
  const { body } = request;
  if (body instanceof HttpParams) return request;
  const copy = copyOfJsonBody<unknown>(body);
  if (copy === body) return request;
  // A text or a number, as JSON makes of a Date, Angular would send as plain text. With `toJSON` it is sent as JSON.
  return request.clone({ body: (typeof copy === 'object' ? copy : { toJSON: () => copy }) as T });
}
