import type { SchedulerLike } from 'rxjs';

/** Throws one error that lists all faults. */
export function throwFaults(who: string, faults: readonly string[]): void {
  if (faults.length === 0) return;
  const count = faults.length === 1 ? '1 fault' : `${String(faults.length)} faults`;
  throw new Error(`${who}: ${count}\n${faults.map((fault) => `- ${fault}`).join('\n')}`);
}

/** Steps for which no call came. */
export function unreachedSteps(steps: number, calls: number): string[] {
  const rest = steps - calls;
  return rest > 0
    ? [`of ${String(steps)} steps the last ${String(rest)} ${rest === 1 ? 'was' : 'were'} not reached`]
    : [];
}

/** `call 2 at 300 ms`. */
export const nth = (n: number, at: number): string => `call ${String(n)} at ${String(at)} ms`;

/** Calls an option for the nth call. What it throws is a fault of the test, and goes on to the caller. */
export const optionCaller =
  (faults: string[], scheduler: SchedulerLike) =>
  <T>(n: number, option: (n: number) => T): T => {
    try {
      return option(n);
    } catch (mistake) {
      faults.push(`${nth(n, scheduler.now())}: ${String(mistake)}`);
      throw mistake;
    }
  };
