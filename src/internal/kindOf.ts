/** Names the type of a value for messages, without showing the value; and tells texts that are not empty. */

export const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** Says what a value is without showing it: it may be a secret in the wrong place. */
export const kindOf = (value: unknown): string =>
  value === null ? 'null' : value === '' ? 'an empty string' : Array.isArray(value) ? 'an array' : typeof value;
