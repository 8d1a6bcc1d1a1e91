import { isStream } from '../internal/isStream.js';

/** What fetch, axios and Angular send as it is, besides text and streams. */
const BINARY_OR_FORM =
  /^\[object (Blob|File|FormData|URLSearchParams|ArrayBuffer|SharedArrayBuffer|DataView|[A-Za-z0-9]+Array)\]$/;

/**
 * The body as it is now, since the caller may change it before it is sent or repeated. What cannot change (text, a Blob) and
 * what can be read only once (a stream) is returned as it is.
 */
export function copyOfBody<B>(body: B): B {
  return typeof body === 'object' && body !== null ? (copyOf(body) as B) : body;
}

/** The same for a client that sends plain objects and arrays as JSON: those are copied as JSON shows them. */
export function copyOfJsonBody<B>(body: B): B {
  if (isSendable(body)) return copyOfBody(body);
  try {
    return JSON.parse(JSON.stringify(body)) as B;
  } catch {
    return body; // The client says what is wrong with it.
  }
}

/** Whether a client sends the body as it is. Anything else can only be sent as JSON. */
export const isSendable = (body: unknown): boolean =>
  typeof body === 'string' || BINARY_OR_FORM.test(tagOf(body)) || isStream(body);

/** Frees what a body holds that was not sent, such as an open file. */
export function releaseBody(body: unknown): void {
  if (!isStream(body)) return;
  const stream = body as { cancel?(): unknown; destroy?(): unknown; return?(): unknown };
  Promise.resolve(stream.cancel?.() ?? stream.destroy?.() ?? stream.return?.()).catch(() => undefined);
}

function copyOf(body: object): object {
  const tag = tagOf(body);
  if (tag === '[object URLSearchParams]') return new URLSearchParams(body as URLSearchParams);
  if (tag === '[object FormData]') return copyOfForm(body as FormData);
  if (tag.endsWith('ArrayBuffer]')) return (body as ArrayBuffer).slice(0);
  if (!ArrayBuffer.isView(body)) return body;
  const { buffer, byteOffset, byteLength } = body;
  return tag === '[object DataView]'
    ? new DataView(buffer.slice(byteOffset, byteOffset + byteLength))
    : // That of typed arrays keeps the class, and a Buffer's own copies nothing.
      Uint8Array.prototype.slice.call(body);
}

/** A look-alike of FormData, such as that of the package `form-data`, is returned as it is. */
function copyOfForm(form: FormData): FormData {
  if (typeof FormData !== 'function' || !(form instanceof FormData)) return form;
  const copy = new FormData();
  form.forEach((value, name) => {
    copy.append(name, value as string);
  });
  return copy;
}

const tagOf = (value: unknown): string => Object.prototype.toString.call(value);
