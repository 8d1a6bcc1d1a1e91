/** Reads the members of a value that may be anything. */

export type Fields = Readonly<Record<string, unknown>>;

/** The fields of whatever it is; none, if it is no object. */
export const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
