/** A ReadableStream, a Node stream, an async iterable: sending it consumes it. */
export function isStream(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false;
  const {
    getReader,
    pipe,
    [Symbol.asyncIterator]: iterate,
  } = body as { getReader?: unknown; pipe?: unknown; [Symbol.asyncIterator]?: unknown };
  return [getReader, pipe, iterate].some((method) => typeof method === 'function');
}
