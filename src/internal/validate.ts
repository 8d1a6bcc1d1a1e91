/** Checks of options: each names the option, the value and the range. `undefined` means the default. */

export function numberIn(name: string, value: number | undefined, min: number, max: number): number | undefined {
  if (value === undefined || (typeof value === 'number' && value >= min && value <= max)) return value;
  const upper = max === Number.MAX_VALUE ? 'finite' : max === Infinity ? 'or Infinity' : `at most ${String(max)}`;
  throw outOfRange(name, value, `a number, at least ${String(min)}, ${upper}`);
}

export const finiteFrom = (name: string, value: number | undefined, min: number): number | undefined =>
  numberIn(name, value, min, Number.MAX_VALUE);

export function requireFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw outOfRange(name, value, 'a function');
}

export function functionOr<F>(name: string, value: F | undefined, fallback: F): F {
  if (value !== undefined) requireFunction(name, value);
  return value ?? fallback;
}

const outOfRange = (name: string, value: unknown, range: string): TypeError =>
  new TypeError(`option "${name}" must be ${range}, got ${typeof value === 'number' || value === null ? String(value) : typeof value}`);
