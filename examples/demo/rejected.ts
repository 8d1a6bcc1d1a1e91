import { closeSync, rmSync, statSync, writeSync } from 'node:fs';
import type { RawLine } from './lines.js';
import { openOutput, requireRegularFile } from './outputFile.js';

/** Lines that were not delivered, each with its number, the reason and its text, as NDJSON. Opened at the first one. */
export class RejectedFile {
  #file: number | undefined;
  #count = 0;

  /** `afresh`: forget what an earlier run left there, because this one reads the same lines again. */
  constructor(
    readonly path: string,
    afresh: boolean,
  ) {
    requireRegularFile(path);
    if (afresh) rmSync(path, { force: true });
  }

  /** Rejected in this run. */
  get count(): number {
    return this.#count;
  }

  /** Rejected in this run or in those that it resumes. */
  get any(): boolean {
    return (statSync(this.path, { throwIfNoEntry: false })?.size ?? 0) > 0;
  }

  add(line: number, reason: string, content: Content): void {
    this.#file ??= openOutput(this.path, 'append');
    writeSync(this.#file, `${JSON.stringify({ line, reason, ...content })}\n`);
    this.#count += 1;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}

/** `base64` for what is not UTF-8, so that nothing is lost; `bytes` is the line's full length when it was cut. */
export type Content =
  { readonly text: string; readonly key?: string } | { readonly base64: string; readonly bytes?: number };

export function contentOf({ data, cut, bytes }: RawLine): Content {
  const text = data.toString();
  if (!cut && Buffer.from(text).equals(data)) return { text };
  return cut ? { base64: data.toString('base64'), bytes } : { base64: data.toString('base64') };
}
