/** Checks options, with errors that name the option and its range. */
import { isText } from './kindOf.js';

/** Least and most allowed, and the default. */
type Range = readonly [least: number, most: number, fallback?: number];
type Checked<R extends Record<string, Range>> = {
  [K in keyof R]: R[K] extends readonly [number, number, number] ? number : number | undefined;
};

export const FINITE = Number.MAX_VALUE;

/**
 * Checks the numbers among options, and puts the defaults in. `undefined` means the default.
 *
 * @param numbers what was given besides options of other kinds: its names are known, or refused
 */
export function numbersIn<const R extends Record<string, Range>>(
  options: { [K in keyof R]?: unknown } = {},
  ranges: R,
  prefix = '',
  numbers: object = options,
): Checked<R> {
  requireObject(options, prefix ? `option "${prefix.slice(0, -1)}"` : 'options');
  refuseUnknown(numbers, ranges, '', prefix);
  const checked: Record<string, unknown> = {};
  // Not `for … in`: old libraries add enumerable members to Object.prototype.
  for (const name of Object.keys(ranges)) {
    const [least, most, fallback] = ranges[name] as Range;
    const { [name]: value = fallback } = options as Record<string, unknown>;
    if (value !== undefined && !(typeof value === 'number' && value >= least && value <= most)) {
      const upper = most === FINITE ? 'finite' : most === Infinity ? 'or Infinity' : `at most ${String(most)}`;
      throw wrong(prefix + name, value, `a number, at least ${String(least)}, ${upper}`);
    }
    checked[name] = value;
  }
  return checked as Checked<R>;
}

/** Checks options as a whole. They are not shown: a text in their place may be a secret. */
export function requireObject(options: unknown, name = 'options'): void {
  if (typeof options !== 'object' || options === null) throw new TypeError(`${name} must be an object`);
}

/** Names an option that does not exist: TypeScript accepts those of a variable. One that is undefined is not given. */
export function refuseUnknown(options: object, known: object, hint = '', prefix = ''): void {
  for (const [name, value] of Object.entries(options))
    if (value !== undefined && !Object.hasOwn(known, name)) {
      const meant = Object.keys(known).find((each) => each.toLowerCase() === name.toLowerCase());
      throw new TypeError(`unknown option "${prefix}${name}"${meant ? `: did you mean "${prefix}${meant}"?` : hint}`);
    }
}

/** Checks an option that must be a text. */
export function requireText(name: string, value: unknown): asserts value is string {
  if (!isText(value)) throw wrong(name, value, 'a string that is not empty');
}

/** Checks an option that must be a boolean. */
export function requireBoolean(name: string, value: unknown): asserts value is boolean {
  if (typeof value !== 'boolean') throw wrong(name, value, 'true or false');
}

/** Checks that those options that are given are functions. */
export function requireFunctions(options: Record<string, unknown>): void {
  for (const name of Object.keys(options)) {
    const value = options[name];
    // A text in the place of a function may be a secret.
    if (value !== undefined && typeof value !== 'function')
      throw new TypeError(`option "${name}" must be a function, got ${shown(value)}`);
  }
}

/** Checks that a given option has the method that makes it what it should be. */
export function requireMethod(name: string, value: unknown, method: string): void {
  if (value !== undefined && typeof (value as Record<string, unknown> | null)?.[method] !== 'function')
    throw wrong(name, value, `an object with a method "${method}"`);
}

const shown = (value: unknown): string => (typeof value === 'number' || value === null ? String(value) : typeof value);

/** @param value shown if it is a number, null or a string: none of these options is a secret */
export const wrong = (name: string, value: unknown, range: string): TypeError =>
  new TypeError(
    `option "${name}" must be ${range}, got ${typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : shown(value)}`,
  );
