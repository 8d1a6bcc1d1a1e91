import type { Facts } from './facts.js';
import type { Kind, Rejection } from './resourceMemory.js';

interface Spent {
  readonly real: number;
  readonly jumps: number;
  /** It is known which kind of rejection forced the refresh. */
  readonly isCertain: boolean;
}

/** How often rejections may force a refresh. Guarantees 18 and 33. */
export class RefreshBudget {
  private readonly spent: Record<Kind, Spent[]> = { bare: [], explicit: [] };
  /** Forced refreshes in a row whose token nobody had accepted, and those since anything was accepted. */
  private unaccepted = 0;
  private inARow: Rejection[] = [];
  private forcedReal = -Infinity;

  constructor(
    private readonly facts: Facts,
    /** Everything is fast enough for a lag of 1.5 s to cost three tokens at most. */
    private readonly isFast: boolean,
  ) {}

  /** A rejection may be passed on, because a refresh for it may be one too many. */
  mayBeSpent(kind: Kind, isAccepted: boolean): boolean {
    return this.countOf(kind, false) >= this.max || (!isAccepted && this.isPausing);
  }

  /** A refresh is forced. `candidates`: the rejections of the token at hand; the first one counts. */
  forced(candidates: readonly Rejection[], cause: Rejection, isAccepted: boolean): void {
    const { facts, max } = this;
    const { real, jumps } = facts;
    const { kind } = cause;
    const isCertain = jumps === 0 && candidates.length === 1;
    if (isCertain && this.countOf(kind, true) >= max)
      facts.violated('18', `${kind} rejections forced more than ${String(max)} refreshes`);
    if (isCertain && !isAccepted && this.isPausing)
      facts.violated('33', 'a token that nobody accepted was replaced too soon');
    const isOfOneKind = candidates.every((each) => each.kind === kind);
    for (const each of candidates)
      this.spent[each.kind].push({ real, jumps, isCertain: isOfOneKind && each === cause });
    this.unaccepted = isAccepted ? 0 : this.unaccepted + 1;
    this.forcedReal = real;
    // The row begins with a token that is rejected everywhere.
    if (isAccepted) this.endRow();
    else this.inARow.push(cause);
    if (this.isFast && jumps === 0 && this.inARow.length > 2 && this.inARow.every(({ isLag }) => isLag))
      facts.violated('33', `a lag of 1.5 s cost ${String(this.inARow.length + 1)} tokens`);
  }

  /** A token came that was fetched for a rejection: the pause begins anew. */
  arrived(): void {
    this.forcedReal = this.facts.real;
  }

  /** The refresh that was announced for it may not have been made. */
  mayHaveForced({ kind }: Rejection): void {
    const { real, jumps } = this.facts;
    this.spent[kind].push({ real, jumps, isCertain: false });
  }

  /** The next forced refresh does not belong to those before it. */
  endRow(): void {
    this.inARow = [];
  }

  accepted(): void {
    this.unaccepted = 0;
    this.endRow();
  }

  private get max(): number {
    return this.facts.options.rejectionBudget?.max ?? 10;
  }

  /** After the first, tokens that nobody has accepted are replaced after pauses. */
  private get isPausing(): boolean {
    const pause = Math.min(60_000, 1000 * 2 ** (this.unaccepted - 1));
    return this.unaccepted > 0 && this.facts.real - this.forcedReal < pause;
  }

  /** Refreshes that were forced within the window, for certain, or perhaps. */
  private countOf(kind: Kind, isCertain: boolean): number {
    const { jumps, real, options } = this.facts;
    const per = options.rejectionBudget?.per ?? 60_000;
    const spent = this.spent[kind].filter((each) => each.jumps === jumps && real - each.real < per);
    this.spent[kind] = spent;
    return isCertain ? spent.filter((each) => each.isCertain).length : spent.length;
  }
}
