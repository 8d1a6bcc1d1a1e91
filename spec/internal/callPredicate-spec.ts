import { callPredicate } from '../../src/internal/values/callPredicate.js';

describe('callPredicate', () => {
  it.each<[unknown, boolean]>([
    [true, true],
    [false, false],
    [undefined, false],
    [null, false],
    [1, true],
    ['', false],
    [{}, true],
  ])('should take %p as a boolean', (answer, verdict) => {
    expect(callPredicate(() => answer, 'outcome', 'isRejection')).toBe(verdict);
  });

  it.each<[string, unknown]>([
    ['a promise', Promise.resolve(false)],
    ['whatever has a then', { then: () => undefined }],
  ])('should not take %s as a truth', (_kind, answer) => {
    expect(() => callPredicate(() => answer, 'outcome', 'isRejection')).toThrow(
      new TypeError('option "isRejection" returned a promise: it must return a boolean'),
    );
  });

  it('should hand over the outcome', () => {
    const outcome = {};
    expect(callPredicate((given) => given === outcome, outcome, 'isRejection')).toBe(true);
  });
});
