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

/** How many members may still be visited. */
interface Visits {
  left: number;
}

function textOf(value: unknown, depth: number, visits: Visits): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'number':
      return numberText(value);
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'bigint':
      return `${String(value)}n`;
    case 'object':
      if (value === null) return 'null';
      if (depth === DEEPEST) throw refused('is nested too deeply, or in a circle');
      return Array.isArray(value) ? listText(value, depth + 1, visits) : recordText(value, depth + 1, visits);
    default:
      throw refused(`holds a ${typeof value}`);
  }
}

function visit(members: number, visits: Visits): void {
  if ((visits.left -= members) < 0) throw refused('has too many members');
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

function listText(list: readonly unknown[], depth: number, visits: Visits): string {
  const members = Reflect.ownKeys(list);
  // The indices come first, then `length`. The list is not walked: it may be long, and have no items.
  const isDense = members.length === list.length + 1 && members.at(-1) === 'length';
  // The prototype of arrays, of any realm, is an array itself. That of a class which extends Array is not.
  if (!isDense || !Array.isArray(Object.getPrototypeOf(list)))
    throw refused('holds an array with gaps, or with members of its own');
  visit(list.length, visits);
  return `[${list.map((item) => textOf(item, depth, visits)).join()}]`;
}

/** A member of an object: what stands before its value in the text, and the last text, for the next object. */
interface Member {
  readonly name: string;
  readonly prefix: string;
  /** The last value, if it was a string. */
  value: string;
  /** Of that value, with the prefix. */
  text: string;
}

/** The members of an object: their names in its order, and sorted. */
const shapeOf = (names: readonly string[]) => ({
  names,
  sorted: [...names].sort().map((name, i): Member => {
    const prefix = `${i > 0 ? ',' : ''}${quoted(name)}:`;
    return { name, prefix, value: '', text: `${prefix}''` };
  }),
});

/** Those of the last object at each depth, which the next one mostly has too: to sort and quote them takes longest. */
const shapes: ReturnType<typeof shapeOf>[] = [];

function shapeAt(depth: number, names: readonly string[]) {
  const last = shapes[depth];
  return last?.names.length === names.length && names.every((name, i) => name === last.names[i])
    ? last
    : (shapes[depth] = shapeOf(names));
}

function recordText(record: object, depth: number, visits: Visits): string {
  if (!isPlainObject(record))
    throw refused('holds an object that is not a plain one, such as a Map, a Date or a class');
  const names = Object.keys(record);
  // Not by Reflect.ownKeys, which takes three times as long as these two.
  if (Object.getOwnPropertyNames(record).length > names.length || Object.getOwnPropertySymbols(record).length > 0)
    throw refused('holds an object with members that are hidden, or named by a symbol');
  visit(names.length, visits);
  let text = '(';
  for (const member of shapeAt(depth, names).sorted) {
    const value = (record as Record<string, unknown>)[member.name];
    if (typeof value !== 'string') text += member.prefix + textOf(value, depth, visits);
    else {
      if (value !== member.value) {
        member.text = member.prefix + quoted(value);
        member.value = value;
      }
      text += member.text;
    }
  }
  return `${text})`;
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

/** The key as it is now: what the caller changes later must not lead to another token. */
export function frozenCopy<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  const copy: unknown = Array.isArray(value)
    ? value.map(frozenCopy)
    : Object.fromEntries(Object.entries(value).map(([name, member]) => [name, frozenCopy(member as unknown)]));
  return Object.freeze(copy) as T;
}
