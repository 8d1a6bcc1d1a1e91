/** Reads the beginning of a response's body into memory. */

/** How much of the body of an unsuccessful response is kept in memory. Bytes. */
const MOST_KEPT = 64 * 1024;

/** How long the end of such a body is waited for. Milliseconds. */
const TIMEOUT = 2_000;

/** What comes before a limit, the end, or an error of the connection: the status says more than such an error. */
export async function beginningOf(body: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  // `isRejection` has read the body itself, or it is a stream of Node's.
  if (body.locked || !('getReader' in body)) return new Uint8Array();
  const reader = body.getReader();
  // Ends the read. Nobody waits for its promise: that of a cloned response waits for the clone, too.
  const stop = () => reader.cancel().catch(() => undefined);
  const beginning = createBeginning(stop);
  try {
    while (beginning.add((await reader.read()).value));
    void stop();
  } catch {
    // What has come is kept.
  }
  return beginning.bytes();
}

/** @param onLate called if `bytes` is not called in time */
export function createBeginning(onLate: () => unknown) {
  const kept = new Uint8Array(MOST_KEPT);
  let length = 0;
  const late = setTimeout(onLate, TIMEOUT);
  return {
    /** @returns whether there is more to come, and room for it */
    add: (chunk: Uint8Array | undefined): boolean => {
      if (!chunk) return false;
      const part = chunk.subarray(0, MOST_KEPT - length);
      kept.set(part, length);
      length += part.length;
      return length < MOST_KEPT;
    },
    bytes: () => {
      clearTimeout(late);
      return kept.slice(0, length);
    },
  };
}
