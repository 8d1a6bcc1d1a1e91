import { TokenUnavailableError } from '../../src/errors.js';
import { uniformError } from '../../src/http/uniformError.js';

const named = (name: string, message: string, more: object = {}) =>
  Object.assign(new Error(message), { name, ...more });

describe('uniformError', () => {
  it.each([
    ['its code', { code: 'ECONNREFUSED', type: 'system' }, 'ECONNREFUSED'],
    ['its type, where it has no code', { type: 'max-redirect' }, 'max-redirect'],
  ])(
    "should make of node-fetch's error, which quotes the URL, the TypeError that fetch throws: %s tells why",
    (_what, more, why) => {
      const plain = uniformError(
        named('FetchError', 'request to https://api.example/?SECRET failed', more),
        null,
      ) as TypeError;
      expect([plain.name, plain.message, (plain.cause as Error).message]).toEqual(['TypeError', 'fetch failed', why]);
    },
  );

  it('should be the reason of an abort, whatever was thrown', () => {
    const reason = new RangeError('enough');
    expect(uniformError(named('AbortError', 'The operation was aborted'), AbortSignal.abort(reason))).toBe(reason);
  });

  it('should be what is wrong with the call, if the signal had aborted before it', () => {
    const signal = AbortSignal.abort(new RangeError('enough'));
    const wrong = named('TypeError', 'Failed to parse URL');
    expect(uniformError(wrong, signal, true)).toBe(wrong);
    expect(uniformError(wrong, signal, false)).toBe(signal.reason);
    expect(uniformError(named('AbortError', 'aborted'), signal, true)).toBe(signal.reason);
  });

  it.each([
    'Invalid header value "SECRET"',
    'Headers.append: "SECRET" is an invalid header value.',
    'SECRET is not a legal HTTP header name',
    "Header 'x-api-key' has invalid value: 'SECRET'",
  ])('should not quote a header: %s', (message) => {
    expect((uniformError(named('TypeError', message), null) as Error).message).not.toContain('SECRET');
  });

  it('should leave alone what came instead of a token, because a source could not parse its own URL', () => {
    const failed = new TokenUnavailableError(undefined, {
      cause: named('TypeError', 'x', { code: 'ERR_INVALID_URL' }),
    });
    expect(uniformError(failed, null)).toBe(failed);
  });

  it('should blame the referrer only where the platform does', () => {
    const cause = named('TypeError', 'Invalid URL', { code: 'ERR_INVALID_URL' });
    const other = named('TypeError', 'Failed to parse URL', { cause });
    expect(uniformError(other, null)).toBe(other);
    const ofReferrer = named('TypeError', 'Referrer "https://SECRET:99999" is not a valid URL.', { cause });
    expect(uniformError(ofReferrer, null)).toEqual(new TypeError('the referrer cannot be parsed'));
  });

  it('should leave alone what it does not know', () => {
    for (const error of [
      null,
      undefined,
      'text',
      new RangeError('mine'),
      named('TypeError', 'mine'),
      { name: 'TypeError' },
    ])
      expect(uniformError(error, null)).toBe(error);
  });
});
