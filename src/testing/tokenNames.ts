/** The values of fake tokens: short and predictable, so that a test can expect them. */
import { requireText, wrong } from '../internal/values/validate.js';

/**
 * How tokens are called: `a`, `b`, `c` … for marble diagrams, `token-1`, `token-2` …, or as a function of their number,
 * from 1, says.
 */
export type TokenNames = 'letters' | 'numbers' | ((n: number) => string);

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

const numbered = (n: number): string => `token-${String(n)}`;

/** After the alphabet's end, numbers. */
const lettered = (n: number): string => LETTERS[n - 1] ?? numbered(n);

/** The function that names the nth token, the first being 1. */
export function namesOf(names: TokenNames): (n: number) => string {
  if (typeof names === 'function') {
    return (n) => {
      const name: unknown = names(n);
      requireText(`names(${String(n)})`, name);
      return name;
    };
  }
  if (names === 'letters') return lettered;
  if ((names as unknown) === 'numbers') return numbered;
  throw wrong('names', names, '"letters", "numbers" or a function of a number');
}
