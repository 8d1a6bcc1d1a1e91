/** Names the keys of a pool so that none is taken for another, since a tenant would get the token of another one. */

/** Deeper than any key of a person's. An object that is in a circle is deeper still. */
const DEEPEST = 100;

/** Many more than a key has. Objects that have the same members several times would take for ever. */
const MOST_MEMBERS = 100_000;

/** Needs no encoding. */
const SAFE = /^[\w.~-]*$/;

/**
 * Writes a key as text: two keys get the same text only if they are equal, member by member, in any order of the
 * members. The text has neither braces nor spaces, so that it may be a part of a key in Redis.
 *
 * @throws TypeError for what cannot be told apart by its members, such as a Map, a function or NaN
 */
export function canonicalKey(key: unknown): string {
  // Every call that forgets its argument would share one token.
  if (key === undefined) throw refused('is undefined');
  return textOf(key, 0, { left: MOST_MEMBERS });
}

/**
 * Tells a key of a pool from the others, as {@link canonicalKey} does. A string, as most keys are, stays as it is: to
 * find text that was put together takes several times as long.
 */
export const poolKey = (key: unknown): string =>
  typeof key === 'string' && !key.startsWith('\0') ? key : `\0${canonicalKey(key)}`;

/** @param visits how many members may still be visited */
function textOf(value: unknown, depth: number, visits: { left: number }): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'bigint') return `${String(value)}n`;
  if (typeof value === 'boolean' || value === undefined || value === null) return String(value);
  if (typeof value !== 'object') throw refused(`holds a ${typeof value}`);
  if (depth === DEEPEST) throw refused('is nested too deeply, or in a circle');
  const isList = Array.isArray(value);
  const { names, beginnings } = isList ? { names: indicesOf(value), beginnings: [] } : membersOf(value, depth);
  if ((visits.left -= names.length) < 0) throw refused('has too many members');
  let text = '';
  for (let i = 0; i < names.length; i++) {
    const member = textOf((value as Record<string, unknown>)[names[i] as string], depth + 1, visits);
    text += `${text && ','}${beginnings[i] ?? ''}${member}`;
  }
  return isList ? `[${text}]` : `(${text})`;
}

/** Braces, brackets and quotes within the text are encoded. */
function quoted(text: string): string {
  if (SAFE.test(text)) return `'${text}'`;
  try {
    return `'${encodeURIComponent(text).replaceAll("'", '%27')}'`;
  } catch {
    throw refused('holds text with half a surrogate pair');
  }
}

function numberText(value: number): string {
  // What could not be read as a number is NaN, whatever it was. A large integer is rounded: it may have been another.
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER)
    throw refused('holds a number that is not finite, or larger than Number.MAX_SAFE_INTEGER');
  return Object.is(value, -0) ? '-0' : String(value);
}

function indicesOf(list: readonly unknown[]): readonly string[] {
  const members = Reflect.ownKeys(list) as string[];
  // The indices come first, then `length`. The list is not walked: it may be long, and have no items.
  const isDense = members.length === list.length + 1 && members.pop() === 'length';
  // The prototype of arrays, of any realm, is an array itself. That of a class which extends Array is not.
  if (!isDense || !Array.isArray(Object.getPrototypeOf(list)))
    throw refused('holds an array with gaps, or with members of its own');
  return members;
}

/** The names of an object, in its own order and sorted, and what is written before each member. */
function orderOf(given: readonly string[]) {
  const names = [...given].sort();
  return { given, names, beginnings: names.map((name) => `${quoted(name)}:`) };
}

/** Of the last object at each depth: most keys have the same names, and to sort and quote them takes long. */
const lastOrders: ReturnType<typeof orderOf>[] = [];

function membersOf(record: object, depth: number) {
  if (!isPlainObject(record))
    throw refused('holds an object that is not a plain one, such as a Map, a Date or a class');
  const given = Object.keys(record);
  // Not by Reflect.ownKeys, which takes three times as long as these two.
  if (Object.getOwnPropertyNames(record).length > given.length || Object.getOwnPropertySymbols(record).length > 0)
    throw refused('holds an object with members that are hidden, or named by a symbol');
  const last = lastOrders[depth];
  const isSame = last?.given.length === given.length && given.every((name, i) => name === last.given[i]);
  return isSame ? last : (lastOrders[depth] = orderOf(given));
}

/** `{}` of any realm, or an object without a prototype. */
function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return (
    prototype === Object.prototype ||
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf'))
  );
}

const refused = (fault: string): TypeError =>
  new TypeError(`the key of a token pool ${fault}: it cannot be told from others. Give the option "idOf"`);

/** The key as it was when it got its name: what the caller changes later must not lead to another token. */
export function keptKey<T>(given: T, name: string): T {
  const key = frozenCopy(given);
  // A getter may have said something else the second time.
  if (poolKey(key) !== name) throw new TypeError('the key of a token pool must not change while it is read');
  return key;
}

/** A copy that nobody can change, with all its members. */
export function frozenCopy<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  const copy: unknown = Array.isArray(value)
    ? value.map(frozenCopy)
    : Object.fromEntries(Object.entries(value).map(([name, member]) => [name, frozenCopy(member as unknown)]));
  return Object.freeze(copy) as T;
}
