import { isDeepStrictEqual } from 'node:util';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { canonicalKey, frozenCopy, poolKey } from '../../src/pool/canonicalKey.js';

const differing: unknown[] = [
  '1',
  1,
  1n,
  '1n',
  ['1'],
  [1],
  { 0: 1 },
  null,
  'null',
  [null],
  [],
  [[]],
  {},
  '',
  [''],
  '[]',
  '()',
  '{}',
  true,
  'true',
  false,
  0,
  -0,
  '0',
  '-0',
  'undefined',
  [undefined],
  { a: undefined },
  { a: null },
  { a: 'undefined' },
  { a: 1, b: 2 },
  { a: { b: 2 } },
  { a: '1', b: 2 },
  { a: "1','b':2" },
  { "a':1,'b": 2 },
  ['a', 'b'],
  ['a,b'],
  ["a','b"],
  [['a'], 'b'],
  ['a', ['b']],
  [['a', 'b']],
  { a: [] },
  { a: {} },
  { a: '' },
  { '': 'a' },
  "'",
  '%27',
  'é',
  'e\u0301',
  'A',
  'a',
  ' a',
  1.5,
  Number.MAX_SAFE_INTEGER,
  JSON.parse('{"__proto__":1}'),
  JSON.parse('{"__proto__":{"a":1}}'),
  { constructor: 1 },
  { toString: 1 },
  { hasOwnProperty: 1, toJSON: 1 },
];

class Tenant {
  id = 'a';
}
const circle: Record<string, unknown> = {};
circle.in = { circle };
const hidden = Object.defineProperty({}, 'id', { value: 'a', enumerable: false });

let shared: object = {};
for (let level = 0; level < 40; level++) shared = { a: shared, b: shared };

describe('the canonical form of a key', () => {
  it('should tell all of these apart', () => {
    const texts = differing.map(canonicalKey);
    expect(texts.filter((text, i) => texts.indexOf(text) !== i)).toEqual([]);
  });

  it('should tell a key from the others in a pool, a string by itself', () => {
    const names = [...differing, ...differing.map((key) => `\0${canonicalKey(key)}`)].map(poolKey);
    expect(new Set(names).size).toBe(names.length);
    expect(poolKey('tenant/1')).toBe('tenant/1');
  });

  it('should be the same whatever the order of members, at any depth', () => {
    expect(canonicalKey({ b: { d: 1, c: [2] }, a: 0 })).toBe(canonicalKey({ a: 0, b: { c: [2], d: 1 } }));
    expect(canonicalKey([1, 2])).not.toBe(canonicalKey([2, 1]));
  });

  it('should be the same after any other key with the same names, at each depth', () => {
    const values = ['', 'x', "x'", 'ä', 1, '1', undefined, null, ['x'], { b: 'x' }, { b: 'y' }, { b: { b: 'x' } }];
    const textOf = (value: unknown) => canonicalKey({ a: value, b: 'x' });
    const texts = values.map(textOf);
    expect(new Set(texts).size).toBe(values.length);
    for (const before of values)
      for (const [i, value] of values.entries()) {
        textOf(before);
        expect(textOf(value)).toBe(texts[i]);
      }
  });

  it('should be that of each object, if a getter asks for another one', () => {
    const inner = { a: 'in', b: 'in' };
    const outer = {
      get a() {
        expect(canonicalKey(inner)).toBe("('a':'in','b':'in')");
        return 'out';
      },
      b: 'out',
    };
    for (let i = 0; i < 2; i++) expect(canonicalKey(outer)).toBe("('a':'out','b':'out')");
  });

  it('should be that of a plain object of another realm, and of one without a prototype', () => {
    const foreign: unknown = runInNewContext('({ id: "a", list: [1] })');
    expect(canonicalKey(foreign)).toBe(canonicalKey({ id: 'a', list: [1] }));
    expect(canonicalKey(Object.assign(Object.create(null) as object, { id: 'a' }))).toBe(canonicalKey({ id: 'a' }));
  });

  it('should be equal only for equal keys', () => {
    const values = fc.object({
      values: [fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean(), fc.constant(null)],
    });
    fc.assert(
      fc.property(values, values, (a, b) => {
        const [one, other] = [canonicalKey(a), canonicalKey(b)];
        expect(one === other).toBe(isDeepStrictEqual({ ...a }, { ...b }));
        expect(canonicalKey(frozenCopy(a))).toBe(one);
        // As a part of a key in Redis.
        expect(one).toMatch(/^[^{}\s]+$/);
      }),
      { numRuns: 500 },
    );
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('a')],
    ['a Map', new Map()],
    ['a Set', new Set()],
    ['a Date', new Date(0)],
    ['a RegExp', /a/],
    ['a class instance', new Tenant()],
    ['an array of a class', new (class extends Array<number> {})()],
    ['a URL', new URL('https://a.example')],
    ['bytes', new Uint8Array(2)],
    ['a boxed string', new String('a')],
    ['an error', new Error('a')],
    ['an object with inherited members', Object.create({ id: 'a' })],
    [
      'an object whose prototype is not that of objects',
      Object.create(Object.create(null, { id: { value: 'a' } }) as object),
    ],
    ['a hidden member', hidden],
    ['a member named by a symbol', { [Symbol('id')]: 'a' }],
    // eslint-disable-next-line no-sparse-arrays -- the case
    ['an array with a gap', [, 1]],
    ['an array of gaps that is longer than any copy may be', Object.assign([], { length: 2 ** 32 - 1 })],
    ['an array with a gap and a member', Object.assign([1], { length: 2, id: 'a' })],
    ['an array with a member', Object.assign([1], { id: 'a' })],
    ['a circle', circle],
    [
      'one object of 1000 texts, 101 times',
      Array(101).fill(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [i, 'x']))),
    ],
    ['objects in objects that are the same ones, two at each of 40 levels', shared],
    ['NaN', NaN],
    ['Infinity', Infinity],
    ['an integer that was rounded', 2 ** 53],
    ['half a surrogate pair', '\ud83d'],
  ])('should be refused for %s, at any depth, with a hint at idOf', (_, value) => {
    const shapes = value === undefined ? [value] : [value, [value], { tenant: { value } }];
    for (const key of shapes) {
      expect(() => canonicalKey(key)).toThrow(TypeError);
      expect(() => canonicalKey(key)).toThrow('idOf');
    }
  });

  it('should quote nothing of a key that is refused', () => {
    expect(() => canonicalKey({ secret: 'hunter2', at: new Date() })).not.toThrow('hunter2');
  });
});

it('should freeze a copy at any depth, and keep what is named like the prototype', () => {
  const key = { list: [{ id: 'a' }], ...(JSON.parse('{"x":{"__proto__":1}}') as object) };
  const copy = frozenCopy(key);
  expect(canonicalKey(copy)).toBe(canonicalKey(key));
  expect(Object.isFrozen(copy) && Object.isFrozen(copy.list) && Object.isFrozen(copy.list[0])).toBe(true);
});
