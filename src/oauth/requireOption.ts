/** Says what a value is without showing it: it may be a secret in the wrong place. */
export const kindOf = (value: unknown): string =>
  value === null ? 'null' : value === '' ? 'an empty string' : Array.isArray(value) ? 'an array' : typeof value;

export const wrong = (name: string, range: string, value: unknown): TypeError =>
  new TypeError(`option "${name}" must be ${range}, got ${kindOf(value)}`);

/**
 * A string option that must say something. A control character is never meant: it is the line break of a file, or a
 * wrong encoding.
 */
export function text(name: string, value: unknown, reason = ''): void {
  if (typeof value !== 'string' || value === '') throw wrong(name, `a string that is not empty${reason}`, value);
  refuseControlCharacters(name, value);
}

export function refuseControlCharacters(name: string, value: string): void {
  if (hasControlCharacter(value))
    throw new TypeError(`option "${name}" must have no line break and no other control character`);
}

export const hasControlCharacter = (value: string): boolean => /\p{Cc}/u.test(value);

export function optionalFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw wrong(name, 'a function', value);
}

/** No token begins or ends with white space. Files end with a line break. */
export const trimmed = (value: unknown): string | undefined => (typeof value === 'string' ? value.trim() : undefined);
