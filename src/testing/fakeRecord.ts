/** The common part of the fake source and the scripted API: their records of calls and of mistakes. */
import { NEVER, switchMap, timer, type Observable, type SchedulerLike } from 'rxjs';

export interface RecordSettings {
  readonly scheduler: SchedulerLike;
  readonly maxCalls: number;
  readonly steps: readonly unknown[];
}

/** What the fakes have in common: the calls so far, what was not expected of them, and answers after a delay. */
export function createFakeRecord<Call extends object>(name: string, { scheduler, maxCalls, steps }: RecordSettings) {
  const calls: Call[] = [];
  const faults: string[] = [];
  const nth = (n: number): string => `call ${String(n)} at ${String(scheduler.now())} ms`;

  return {
    calls,
    /** Adds a call. `about` says which in a message, `fault` what is wrong with it. */
    add: (call: Call, about: string, fault?: string): void => {
      const n = calls.push(call);
      const who = `${nth(n)} (${about})`;
      if (fault !== undefined) faults.push(`${who} ${fault}`);
      if (n > maxCalls) faults.push(`${who} is one too many: maxCalls is ${String(maxCalls)}`);
    },
    /**
     * Calls an option for the nth call. What it throws goes on to the client, which takes it for a failed call: only
     * `verify` can say that the test itself is wrong.
     */
    callOption: <T>(n: number, option: (n: number) => T): T => {
      try {
        return option(n);
      } catch (mistake) {
        faults.push(`${nth(n)}: ${String(mistake)}`);
        throw mistake;
      }
    },
    /** The answer after so many milliseconds, synchronously after 0; never if it hangs. */
    answeredAfter: <T>(wait: number, hangs: boolean, answer$: Observable<T>): Observable<T> => {
      if (hangs) return NEVER;
      return wait === 0 ? answer$ : timer(wait, scheduler).pipe(switchMap(() => answer$));
    },
    /** Throws one error that lists all faults. */
    verify: (): void => {
      const rest = steps.length - calls.length;
      const unreached = `of ${String(steps.length)} steps the last ${String(rest)} ${rest === 1 ? 'was' : 'were'}`;
      const all = rest > 0 ? [...faults, `${unreached} not reached`] : faults;
      if (all.length === 0) return;
      const count = all.length === 1 ? '1 fault' : `${String(all.length)} faults`;
      throw new Error(`${name}: ${count}\n${all.map((fault) => `- ${fault}`).join('\n')}`);
    },
  };
}
