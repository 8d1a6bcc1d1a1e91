/** Copies the data of an axios request at the call, so that a later change by the caller is not sent. */
import type { InternalAxiosRequestConfig } from 'axios';
import { copyOfBody } from '../http/requestBody.js';
import { fieldsOf } from '../internal/values/fieldsOf.js';

/**
 * The request with its data and params as they are now: the caller may use the same objects for another request while
 * this one waits for a token, or before it is repeated.
 */
export function givenRequest(config: InternalAxiosRequestConfig): InternalAxiosRequestConfig {
  const { headers } = config;
  const { data, params } = config as { data?: unknown; params?: unknown };
  const given = { ...config, data: copyOfBody(data), params: copyOfBody(params) };
  if (!isFormInMemory(data)) return given;
  const contentType = data.getHeaders()['content-type'];
  return {
    ...given,
    data: data.getBuffer(),
    headers: contentType === undefined ? headers : headers.concat({ 'Content-Type': contentType }),
  };
}

/** The FormData of the package `form-data`, which axios uses on Node: a stream of its parts. */
interface StreamedForm {
  readonly _streams: readonly unknown[];
  getBuffer(): Uint8Array;
  getHeaders(): Record<string, string>;
}

/** Whether each part is a text or bytes, and none a stream, so that the form can be sent again. */
function isFormInMemory(data: unknown): data is StreamedForm {
  const { _streams: parts, getBuffer, getHeaders } = fieldsOf(data) as Partial<StreamedForm>;
  return (
    typeof getBuffer === 'function' &&
    typeof getHeaders === 'function' &&
    Array.isArray(parts) &&
    // A function writes the end of a part.
    parts.every((part) => typeof part === 'string' || typeof part === 'function' || part instanceof Uint8Array)
  );
}
