import type { SchedulerLike } from 'rxjs';

/** Throws one error that lists everything that was not expected. */
export function complain(who: string, faults: readonly string[]): void {
  if (faults.length > 0)
    throw new Error(
      `${who}: ${faults.length === 1 ? 'something' : `${String(faults.length)} things`} nobody expected\n${faults.map((fault) => `- ${fault}`).join('\n')}`,
    );
}

/** What is left of a script says that something expected did not happen. */
export const leftOver = (steps: number, calls: number): string[] =>
  calls < steps
    ? [
        `of ${String(steps)} steps the last ${String(steps - calls)} ${steps - calls === 1 ? 'was' : 'were'} never come to`,
      ]
    : [];

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
