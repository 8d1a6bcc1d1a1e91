/**
 * The set of line numbers that are finished. Lines finish out of order, but never far apart, so a low-water mark and
 * the few above it hold the whole set in little memory.
 */
export class DoneLines {
  #upTo = 0;
  readonly #above = new Set<number>();

  /** Every line up to this one is finished. */
  get upTo(): number {
    return this.#upTo;
  }

  get above(): Iterable<number> {
    return this.#above;
  }

  has(line: number): boolean {
    return line <= this.#upTo || this.#above.has(line);
  }

  add(line: number): void {
    if (this.has(line)) return;
    this.#above.add(line);
    while (this.#above.delete(this.#upTo + 1)) this.#upTo += 1;
  }

  addUpTo(line: number): void {
    if (line <= this.#upTo) return;
    this.#upTo = line;
    for (const above of this.#above) if (above <= line) this.#above.delete(above);
    while (this.#above.delete(this.#upTo + 1)) this.#upTo += 1;
  }
}
