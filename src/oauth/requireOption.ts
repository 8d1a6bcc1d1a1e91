/** Says what a value is without showing it: it may be a secret in the wrong place. */
export const kindOf = (value: unknown): string =>
  value === null ? 'null' : value === '' ? 'an empty string' : Array.isArray(value) ? 'an array' : typeof value;

export const wrong = (name: string, range: string, value: unknown): TypeError =>
  new TypeError(`option "${name}" must be ${range}, got ${kindOf(value)}`);

/** A string option that must say something. */
export function text(name: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') throw wrong(name, 'a string that is not empty', value);
}

export function optionalFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw wrong(name, 'a function', value);
}
