import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { numbersIn, requireFunctions, requireMethod, wrong } from '../internal/validate.js';

/** Checks that those options that are given are true or false. */
export function requireFlags(options: Record<string, unknown>): void {
  for (const name of Object.keys(options)) {
    if (options[name] !== undefined && typeof options[name] !== 'boolean')
      throw wrong(name, options[name], 'true or false');
  }
}

/** Checks a script, step by step. */
export function requireSteps(name: string, steps: unknown, isStep: (step: unknown) => boolean, range: string): void {
  if (!Array.isArray(steps)) throw wrong(name, steps, `an array of ${range}`);
  // Not forEach, which passes over holes.
  Array.from(steps as unknown[]).forEach((step, index) => {
    if (!isStep(step)) throw wrong(`${name}[${String(index)}]`, step, range);
  });
}

/**
 * An option that is one number for all calls, or a function of the call's number, from 1; what that returns is checked
 * too.
 */
export function perCall(
  name: string,
  option: number | ((n: number) => number) | undefined,
  fallback: number,
  most: number,
): (n: number) => number {
  const checked = (value: unknown): number =>
    numbersIn({ [name]: value }, { [name]: [0, most, fallback] })[name] as number;
  if (typeof option === 'function') return (n) => checked(option(n));
  const same = checked(option);
  return () => same;
}

/** Where the fakes' time comes from. */
export function clockOf({
  scheduler = asyncScheduler,
  now = () => scheduler.now(),
}: {
  scheduler?: SchedulerLike | undefined;
  now?: (() => number) | undefined;
}) {
  requireMethod('scheduler', scheduler, 'schedule');
  requireFunctions({ now });
  return { scheduler, now };
}

/** The longest delay that timers outside of virtual time can keep. */
export const LONGEST = 2 ** 31 - 1;
