/** Reads what answers and errors of every kind carry: Response, HttpErrorResponse, AjaxError, axios' and our own. */

interface Fields {
  readonly status?: unknown;
  readonly error?: unknown;
  readonly retryAfter?: unknown;
  readonly headers?: unknown;
  readonly response?: unknown;
  readonly get?: unknown;
  readonly xhr?: { getResponseHeader?(name: string): string | null };
}

/** The fields of whatever it is; none, if it is no object. */
export const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? value : {});

/** A header, given in lower case, of an answer or of the response that an error carries. */
export function headerOf(answer: unknown, name: string): string | undefined {
  const { headers, response, xhr } = fieldsOf(answer);
  for (const carrier of [headers, fieldsOf(response).headers]) {
    const value: unknown =
      typeof fieldsOf(carrier).get === 'function'
        ? (carrier as Headers).get(name)
        : Object.entries(fieldsOf(carrier)).find(([key]) => key.toLowerCase() === name)?.[1];
    if (typeof value === 'string') return value;
  }
  return xhr?.getResponseHeader?.(name) ?? undefined;
}
