/** Copies, judges and releases the bodies of requests. */
import { isStream } from '../internal/values/isStream.js';
import { tagOf } from '../internal/values/kindOf.js';

/** What fetch, axios and Angular send as it is, besides text and streams. */
const BINARY_OR_FORM = / (Blob|File|FormData|URLSearchParams|ArrayBuffer|DataView|\w+Array)\]/;

/**
 * The body as it is now, since the caller may change it before it is sent or repeated. What cannot change (text, a
 * Blob) and what can be read only once (a stream) is returned as it is.
 */
export const copyOfBody = <B>(body: B): B => copyOf(body) as B;

/**
 * The same for a client that sends plain objects and arrays as JSON: what these hold is copied, too. Files, Dates and
 * classes stay what they are, since an interceptor that comes later may look for them.
 */
export function copyOfJsonBody<B>(body: B): B {
  try {
    return copyOfPart(body) as B;
  } catch {
    return body; // The client says what is wrong with it, such as a circle.
  }
}

function copyOfPart(part: unknown): unknown {
  if (typeof part !== 'object' || part === null) return part;
  if (isSendable(part)) return copyOfBody(part);
  if (Array.isArray(part)) return part.map(copyOfPart);
  const tag = tagOf(part);
  if (tag === '[object Date]') return new Date(part as Date);
  if (typeof (part as { toJSON?: unknown }).toJSON === 'function') {
    // It may return undefined: JSON leaves such a member out.
    const json = JSON.stringify(part) as string | undefined;
    return json === undefined ? undefined : JSON.parse(json);
  }
  if (tag !== '[object Object]') return part;
  const members = Object.fromEntries(Object.entries(part).map(([name, value]) => [name, copyOfPart(value)]));
  return Object.create(Object.getPrototypeOf(part) as object | null, Object.getOwnPropertyDescriptors(members));
}

/** Whether a client sends the body as it is. Anything else can only be sent as JSON. */
export const isSendable = (body: unknown): boolean =>
  typeof body === 'string' || BINARY_OR_FORM.test(tagOf(body)) || isUntagged(body) || isStream(body);

/** Whether fetch takes the content type from the body: that of a form has its boundary. A Blob may have none. */
export const hasContentType = (body: unknown): boolean =>
  (/Blob|File|FormData|URLSearchParams/.test(tagOf(body)) || isUntagged(body)) &&
  (body as { readonly type?: string }).type !== '';

/** React Native's classes have no tag. */
const isUntagged = (body: unknown): boolean =>
  ['FormData', 'URLSearchParams', 'Blob'].some((name) => {
    const Class = (globalThis as Record<string, unknown>)[name];
    return typeof Class === 'function' && body instanceof Class;
  });

/** Frees what a body holds that was not sent, such as an open file. */
export function releaseBody(body: unknown): void {
  if (!isStream(body)) return;
  const stream = body as { cancel?(): unknown; destroy?(): unknown; return?(): unknown };
  Promise.resolve(stream.cancel?.() ?? stream.destroy?.() ?? stream.return?.()).catch(() => undefined);
}

function copyOf(body: unknown): unknown {
  const tag = tagOf(body);
  if (tag === '[object URLSearchParams]') return new URLSearchParams(body as URLSearchParams);
  if (tag === '[object FormData]') return copyOfForm(body as FormData);
  if (tag.endsWith('ArrayBuffer]')) return (body as ArrayBuffer).slice(0);
  if (!ArrayBuffer.isView(body)) return body;
  const { buffer, byteOffset, byteLength } = body;
  return tag === '[object DataView]'
    ? new DataView(buffer.slice(byteOffset, byteOffset + byteLength))
    : // The prototype's `slice` keeps the class; a Buffer's own makes a view.
      Uint8Array.prototype.slice.call(body);
}

/**
 * A form of another library, such as undici, is copied by its own class; one that cannot be read, such as that of the
 * package `form-data`, is returned as it is.
 */
function copyOfForm(form: FormData): FormData {
  if (typeof form.forEach !== 'function') return form;
  const Foreign = form.constructor as typeof FormData;
  const { FormData: Own = Foreign } = globalThis as Partial<typeof globalThis>;
  const copy = new (form instanceof Own ? Own : Foreign)();
  form.forEach((value, name) => copy.append(name, value as string));
  return copy;
}
