/** Names the type of a value for messages, without showing the value; tells texts that are not empty, and tags. */

export const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** Says what a value is without showing it: it may be a secret in the wrong place. */
export const kindOf = (value: unknown): string =>
  value === null ? 'null' : value === '' ? 'an empty string' : Array.isArray(value) ? 'an array' : typeof value;

/** The tag of a value: what it is, also in the sandbox of a test runner, whose classes are of another realm. */
export const tagOf = (value: unknown): string => Object.prototype.toString.call(value);
