/** Recognizes request bodies that can be sent only once. */
import { isObservable } from 'rxjs';

/** A ReadableStream, a Node stream, an async iterable: sending it consumes it. An Observable has a `pipe`, too. */
export function isStream(body: unknown): boolean {
  const stream = body as { getReader?: unknown; pipe?: unknown; [Symbol.asyncIterator]?: unknown } | null | undefined;
  return (
    !isObservable(body) &&
    [stream?.getReader, stream?.pipe, stream?.[Symbol.asyncIterator]].some((method) => typeof method === 'function')
  );
}
