import { numbersIn, requireBoolean, requireObject, requireText } from '../../src/internal/values/validate.js';

describe.each([null, 'text', 5, true])('options that are %p', (options) => {
  it('should be named as a whole', () => {
    const unnamed = new TypeError('options must be an object');
    expect(() => numbersIn(options as never, {})).toThrow(unnamed);
    expect(() => {
      requireObject(options);
    }).toThrow(unnamed);
  });

  it('should be named where they are those of one option', () => {
    expect(() => numbersIn(options as never, {}, 'backoff.')).toThrow(
      new TypeError('option "backoff" must be an object'),
    );
  });
});

it.each<[string, (value: unknown) => void, unknown, string]>([
  ['text', (value) => requireText('key', value), '', 'a string that is not empty, got ""'],
  ['text', (value) => requireText('key', value), 7, 'a string that is not empty, got 7'],
  ['boolean', (value) => requireBoolean('key', value), 'yes', 'true or false, got "yes"'],
  ['boolean', (value) => requireBoolean('key', value), {}, 'true or false, got object'],
])('an option that must be a %s should be named with what it is instead', (_kind, check, value, message) => {
  expect(() => {
    check(value);
  }).toThrow(new TypeError(`option "key" must be ${message}`));
});

it('an option that is the text or boolean that it must be should pass', () => {
  expect(() => {
    requireText('key', 'a');
    requireBoolean('key', false);
  }).not.toThrow();
});
