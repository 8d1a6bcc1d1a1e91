import { format, inspect } from 'node:util';

/** A value in every way in which somebody might print it. */
export const printed = (value: unknown): string =>
  [
    inspect(value, { depth: 10, showHidden: true }),
    inspect(value, { depth: 10, getters: true }),
    format('%o %O %j %s', value, value, value, value),
    json(value),
    Object.entries(value ?? {})
      .map(([key, each]) => `${key}=${inspect(each, { depth: 10 })}`)
      .join(),
    value instanceof Error ? [value.stack, value.message, json(Object.entries(value))].join() : '',
    '',
  ].join('\n');

function json(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    return String(error);
  }
}
