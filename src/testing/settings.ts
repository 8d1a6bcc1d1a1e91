/** Checks of options that the fakes have in common: scripts, lists of words, values per call. */
import { numbersIn, wrong } from '../internal/values/validate.js';

/** Checks a script, step by step. */
export function requireSteps(name: string, steps: unknown, isStep: (step: unknown) => boolean, range: string): void {
  if (!Array.isArray(steps)) throw wrong(name, steps, `an array of ${range}`);
  for (const [index, step] of (steps as unknown[]).entries())
    if (!isStep(step)) throw wrong(`${name}[${String(index)}]`, step, range);
}

/** Checks a list of words. */
export function requireWords(name: string, given: unknown, words: readonly string[]): void {
  const range = words.map((word) => `"${word}"`).join(', ');
  requireSteps(name, given, (word) => words.includes(word as string), range);
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

/** The longest delay that timers outside of virtual time can keep. */
export const LONGEST = 2 ** 31 - 1;
