/** Copies, checks and searches headers. */
import { kindOf } from '../internal/values/kindOf.js';
import type { HeadersInit } from '../internal/platform/platformTypes.js';
import { requireObject } from '../internal/values/validate.js';

export type HeaderRecord = Record<string, string>;

/** The headers as they are now. By a spread where that will do: `headerRecord` takes ten times as long. */
export const copyOfHeaders = (headers: HeadersInit | null | undefined): HeaderRecord =>
  headers && !isIterable(headers) ? { ...headers } : headerRecord(headers);

/** A header may have the name of a member of `Object.prototype`. V8 copies an object without a prototype slowly. */
const NO_MEMBERS = /* @__PURE__ */ Object.create(null) as object;

/** Header names in lower case, so that the same name in another case is the same key. */
export function headerRecord(headers: HeadersInit | null | undefined): HeaderRecord {
  const record = Object.create(NO_MEMBERS) as HeaderRecord;
  if (!headers) return record;
  const pairs: Iterable<readonly string[]> = isIterable(headers) ? headers : Object.entries(headers);
  for (const pair of pairs) {
    if (pair.length !== 2) throw new TypeError('a header must be a name and a value');
    const [name, value] = pair as [string, string];
    const key = name.toLowerCase();
    // RFC 6265 section 5.4 has one header of all cookies, with semicolons.
    record[key] = key in record ? `${String(record[key])}${key === 'cookie' ? ';' : ','} ${value}` : value;
  }
  return record;
}

/** The option `headers`, checked without showing it: a header may be a secret. */
export function headersOption(headers: unknown): HeaderRecord {
  if (headers === undefined || (headers && typeof headers === 'object'))
    return headerRecord(headers as HeadersInit | undefined);
  throw new TypeError(`option "headers" must be headers as fetch takes them, got ${kindOf(headers)}`);
}

/** Whether the caller brought an Authorization header: that one is left alone. By its length first, to save time. */
export function hasAuthorization(headers: HeaderRecord): boolean {
  for (const name in headers) if (name.length === 13 && name.toLowerCase() === 'authorization') return true;
  return false;
}

/** Without the names given, which are in lower case. */
export const withoutHeaders = (headers: HeaderRecord, names: readonly string[]): HeaderRecord =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name.toLowerCase())));

function isIterable(headers: HeadersInit): headers is Headers | [string, string][] {
  // The error of `in` would quote the value.
  requireObject(headers, 'headers');
  return Symbol.iterator in headers;
}
