/** Reads the beginning of a response's body into memory. */

/** How much of the body of an unsuccessful response is kept in memory. Bytes. */
const MOST_KEPT = 64 * 1024;

/** What comes before the limit, the end, or an error of the connection: the status says more than such an error. */
export async function beginningOf(body: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const beginning = createBeginning();
  try {
    // Throws where `isRejection` has read the body itself.
    const reader = body.getReader();
    for (;;) {
      const { value } = await reader.read();
      if (!value) break;
      if (beginning.add(value)) continue;
      await reader.cancel();
      break;
    }
  } catch {
    // What came stays.
  }
  return beginning.bytes();
}

export function createBeginning() {
  const kept = new Uint8Array(MOST_KEPT);
  let length = 0;
  return {
    /** @returns whether there is room for more */
    add: (chunk: Uint8Array): boolean => {
      const part = chunk.subarray(0, MOST_KEPT - length);
      kept.set(part, length);
      length += part.length;
      return length < MOST_KEPT;
    },
    bytes: () => kept.slice(0, length),
  };
}
