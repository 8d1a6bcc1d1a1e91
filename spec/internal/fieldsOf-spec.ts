import { fieldsOf } from '../../src/internal/values/fieldsOf.js';

describe('fieldsOf', () => {
  it('should be the object itself', () => {
    const value = { status: 5 };
    expect(fieldsOf(value)).toBe(value);
  });

  it.each([undefined, null, 5, 'text', true, Symbol('x'), () => 5])('should have no fields for %p', (value) => {
    expect(fieldsOf(value)).toEqual({});
  });
});
