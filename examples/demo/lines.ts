/** One line of the input, without its line break. */
export interface RawLine {
  /** From 1, as an editor counts. */
  readonly number: number;
  /** Its length in the input, line break included. */
  readonly bytes: number;
  /** What it says: at most the bound; `cut` tells that there was more. */
  readonly data: Buffer;
  readonly cut: boolean;
}

const LINE_FEED = 0x0a;

/**
 * Splits a byte stream at its line feeds. It reads on only when asked for the next line, and of a line longer than
 * `bound` it keeps only the beginning, so it holds one chunk and one line at most, whatever the input.
 * (`node:readline` would hold a line of any length.)
 */
export async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  bound: number,
): AsyncGenerator<RawLine, void, undefined> {
  let number = 0;
  let parts: Buffer[] = [];
  let kept = 0;
  let bytes = 0;

  const keep = (part: Buffer): void => {
    bytes += part.length;
    const room = bound - kept;
    if (room <= 0 || part.length === 0) return;
    parts.push(part.subarray(0, room));
    kept += Math.min(part.length, room);
  };
  const take = (breaks: number): RawLine => {
    number += 1;
    const line = { number, bytes: bytes + breaks, data: Buffer.concat(parts), cut: bytes > kept };
    parts = [];
    kept = bytes = 0;
    return line;
  };

  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      keep(chunk.subarray(from, end));
      yield take(1);
      from = end + 1;
    }
    keep(chunk.subarray(from));
  }
  if (bytes > 0) yield take(0);
}
