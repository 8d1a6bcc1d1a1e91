import { numbersIn, requireObject } from '../../src/internal/validate.js';

describe.each([null, 'text', 5, true])('options that are %p', (options) => {
  it('should be named as a whole', () => {
    expect(() => numbersIn(options as never, {})).toThrow(/^option "options" must be an object, got /);
    expect(() => {
      requireObject(options);
    }).toThrow(new TypeError('options must be an object'));
  });

  it('should be named where they are those of one option', () => {
    expect(() => numbersIn(options as never, {}, 'backoff.')).toThrow(/^option "backoff" must be an object, got /);
  });
});
