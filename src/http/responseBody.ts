/** What a response becomes for the caller of the HTTP client: its parsed body, or an HttpStatusError. */
import { HttpStatusError } from '../errors.js';
import { isStream } from '../internal/values/isStream.js';
import { parseJson } from '../answers/parseBody.js';
import { tagOf } from '../internal/values/kindOf.js';
import { beginningOf } from './transport.js';

/** What a status outside 200 to 299 becomes. The error holds no connection. */
export async function statusError(response: Response, nameOf: () => string): Promise<never> {
  throw new HttpStatusError(`${nameOf()} answered ${String(response.status)}`, await inMemory(response));
}

/** The body: parsed if it is JSON, null if there is none, else text. Rails sends a blank where there is none. */
export async function readBody<T>(response: Response, nameOf: () => string): Promise<T> {
  const text = await response.text();
  if (text === '') return null as T;
  // A mock of fetch may have none.
  const type = (response as Partial<Response>).headers?.get('content-type') ?? '';
  // JSON lines stay text, even a single one: the type must not depend on their number.
  if (/ndjson|jsonl|json-seq|json-stream|stream\+json/i.test(type)) return text as T;
  const saysJson = /\bjson\b/i.test(type);
  const json = saysJson || /^\s*[[{]/.test(text) ? parseJson(text.trimStart() || 'null') : undefined;
  if (json === undefined && saysJson)
    throw new SyntaxError(`${nameOf()}: the body says that it is JSON, but it is not`);
  return (json === undefined ? text : json) as T;
}

/** The same response with its body, or the beginning of it, in memory: it no longer holds a connection. */
async function inMemory(response: Response): Promise<Response> {
  const { body, status, statusText, headers, url, redirected, constructor } = response;
  // Of a mock by node-fetch it is bytes.
  if (!body || !isStream(body) || tagOf(response) !== '[object Response]') return response;
  const kept = await beginningOf(body);
  const Class = constructor as typeof Response;
  const copy = new Class(kept, { status: Math.min(status, 599), statusText, headers });
  const value = (of: unknown) => ({ value: of, configurable: true });
  return Object.defineProperties(copy, { status: value(status), url: value(url), redirected: value(redirected) });
}
