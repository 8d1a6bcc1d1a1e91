/** A ReadableStream, a Node stream, an async iterable: sending it consumes it. */
export function isStream(body: unknown): boolean {
  const stream = body as { getReader?: unknown; pipe?: unknown; [Symbol.asyncIterator]?: unknown } | null | undefined;
  return [stream?.getReader, stream?.pipe, stream?.[Symbol.asyncIterator]].some(
    (method) => typeof method === 'function',
  );
}
