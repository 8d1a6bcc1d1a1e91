import { kindOf } from '../../src/internal/values/kindOf.js';

it.each<[unknown, string]>([
  [null, 'null'],
  ['', 'an empty string'],
  ['SECRET', 'string'],
  [['SECRET'], 'an array'],
  [{}, 'object'],
  [7, 'number'],
  [undefined, 'undefined'],
])('the kind of %p should be %s: the value is not shown', (value, kind) => {
  expect(kindOf(value)).toBe(kind);
});
