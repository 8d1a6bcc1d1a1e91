/** Checks options that are texts. Its errors show no value, since that may be a secret. */
import { isText, kindOf } from '../../internal/values/kindOf.js';

/** The error of an option that is wrong. It does not show the value, as that of `internal/values/validate` does. */
export const wrongKind = (name: string, value: unknown, range: string): TypeError =>
  new TypeError(`option "${name}" must be ${range}, got ${kindOf(value)}`);

/**
 * A string option that must say something. A control character is never meant: it is the line break of a file, or a
 * wrong encoding.
 */
export function checkText(name: string, value: unknown, reason = ''): void {
  if (!isText(value)) throw wrongKind(name, value, `a string that is not empty${reason}`);
  refuseControlCharacters(name, value);
}

export const hasControlCharacter = (value: string): boolean => /\p{Cc}/u.test(value);

export function refuseControlCharacters(name: string, value: string): void {
  if (hasControlCharacter(value))
    throw new TypeError(`option "${name}" must have no line break and no other control character`);
}

/** No token begins or ends with white space. Files end with a line break. */
export const trimmed = (value: unknown): string | undefined => (typeof value === 'string' ? value.trim() : undefined);

/** What nobody means as a token in a file. The first that fits is named: UTF-16 has white space, too. */
const NO_TOKEN: readonly (readonly [string, RegExp])[] = [
  ['JSON', /^[{["']/],
  ['a page', /^</],
  ['control characters, as of UTF-16', /[^\P{Cc}\s]/u],
  ['several words or lines', /\s/],
  ['an assignment', /^\w*token\w*=/i],
  ['a form', /^\w+=[^=&]+&/],
  ['the name of a value', /^(null|undefined|true|false)$/i],
];

/** What a text of a file is, if it is no token. */
export const otherThanToken = (text: string): string | undefined =>
  NO_TOKEN.find(([, pattern]) => pattern.test(text))?.[0];
