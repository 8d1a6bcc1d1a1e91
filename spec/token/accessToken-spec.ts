import { inspect } from 'node:util';
import { InvalidTokenResponseError, TokenEndpointError } from '../../src/errors.js';
import { accessToken, checkTokenResponse, sameToken } from '../../src/token/accessToken.js';
import type { TokenResponse } from '../../src/token/types.js';

const response: TokenResponse = { access_token: 'SECRET-a', refresh_token: 'SECRET-r', scope: 'tea', expires_in: 30 };

describe('accessToken', () => {
  it('should say what the response says, on the clock of the stream', () => {
    const token = accessToken(response, 1000, 30_000);
    expect([token.value, token.type, token.issuedAt, token.expiresAt, token.scope]).toEqual([
      'SECRET-a',
      'Bearer',
      1000,
      31_000,
      'tea',
    ]);
    expect(token.raw).toEqual(response);
  });

  it.each([
    [undefined, 'Bearer'],
    [null, 'Bearer'],
    ['bearer', 'Bearer'],
    ['BEARER', 'Bearer'],
    ['dpop', 'DPoP'],
    ['DPOP', 'DPoP'],
    ['DPoP', 'DPoP'],
    ['bearers', 'bearers'],
    ['x-bearer', 'x-bearer'],
  ])('should make of the token_type %p the type %s', (token_type, type) => {
    expect(accessToken({ access_token: 'a', token_type } as TokenResponse, 0, 1).type).toBe(type);
  });

  it.each([
    [30_000, 30_100],
    [0.5, 100.5],
    [Infinity, Infinity],
    [0, 100],
    [-5, 100],
    [-Infinity, 100],
    [NaN, 100],
  ])('should end, with a life of %p ms from 100 ms on, at %p', (lifetime, expiresAt) => {
    expect(accessToken(response, 100, lifetime).expiresAt).toBe(expiresAt);
  });

  it.each([undefined, null, 5, ['tea'], {}])('should have no scope when the response has %p', (scope) => {
    expect(accessToken({ access_token: 'a', scope } as TokenResponse, 0, 1).scope).toBeUndefined();
  });

  it('should be immutable, and not follow a response that is changed later', () => {
    const mine = { ...response };
    const token = accessToken(mine, 0, 1) as { type: string; value: string; raw: TokenResponse };
    mine.access_token = 'other';
    expect(token.value).toBe('SECRET-a');
    expect(() => (token.type = 'x')).toThrow(TypeError);
    expect(() => (token.value = 'x')).toThrow(TypeError);
    expect(() => (token.raw.access_token = 'x')).toThrow(TypeError);
  });

  it('should print redacted, however it is printed', () => {
    const token = accessToken(response, 0, 1);
    const printed = [
      String(token),
      `a token: ${token as unknown as string}`,
      JSON.stringify({ token }),
      inspect(token),
      inspect([token], { showHidden: true, getters: true, depth: 9 }),
      inspect(token, { showHidden: true, customInspect: false, depth: 9 }),
      JSON.stringify({ ...token }),
      JSON.stringify(Object.getOwnPropertyDescriptors(token)),
      inspect(structuredClone(token), { showHidden: true }),
    ];
    expect(printed.join('\n')).not.toContain('SECRET');
    expect(printed[0]).toBe(`AccessToken(Bearer ${token.id})`);
    expect(printed[3]).toBe(printed[0]);
  });

  it('should enumerate neither value nor raw', () => {
    expect(Object.keys(accessToken(response, 0, 1)).sort()).toEqual(['expiresAt', 'id', 'issuedAt', 'scope', 'type']);
  });

  it.each([
    // Published test vectors of FNV-1a.
    ['a', 'e40c292c'],
    ['foobar', 'bf9cf968'],
  ])('should have an id that is a fingerprint of the value alone: %s', (access_token, id) => {
    expect(accessToken({ access_token }, 0, 1).id).toBe(id);
    expect(accessToken({ access_token, token_type: 'x', scope: 'y' }, 5, 9).id).toBe(id);
  });

  it('should have an id of eight digits that differs from the next', () => {
    const ids = Array.from({ length: 1000 }, (_, i) => accessToken({ access_token: `T${i}` }, 0, 1).id);
    expect(ids.every((id) => /^[0-9a-f]{8}$/.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(1000);
  });
});

describe('sameToken', () => {
  const of = (access_token: string, token_type?: string) => accessToken({ access_token, token_type }, 0, 1);
  it.each([
    ['the same value and type, whatever their lives', of('a'), accessToken({ access_token: 'a' }, 50, 9), true],
    ['another value', of('a'), of('b'), false],
    ['another type', of('a'), of('a', 'DPoP'), false],
    ['one and none', of('a'), null, false],
    ['none and one', undefined, of('a'), false],
    ['null and undefined', null, undefined, true],
  ])('should compare %s', (_kind, a, b, same) => {
    expect(sameToken(a, b)).toBe(same);
  });
});

describe('checkTokenResponse', () => {
  const failureOf = (value: unknown): Error | undefined => {
    try {
      checkTokenResponse(value);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  };

  it.each<[string, unknown]>([
    ['the least', { access_token: 'a' }],
    [
      'every visible ASCII character',
      { access_token: Array.from({ length: 0x7e - 0x20 }, (_, i) => String.fromCharCode(0x21 + i)).join('') },
    ],
    ['a type', { access_token: 'a', token_type: 'DPoP' }],
    ['a null type', { access_token: 'a', token_type: null }],
    ['an error beside a token', { access_token: 'a', error: 'none' }],
    ['an object without a prototype', Object.assign(Object.create(null) as object, { access_token: 'a' })],
  ])('should let pass: %s', (_kind, value) => {
    expect(failureOf(value)).toBeUndefined();
  });

  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'is undefined, not an object'],
    ['a string', 'SECRET', 'is string, not an object'],
    ['a number', 5, 'is number, not an object'],
    ['a function', () => 'SECRET', 'is function, not an object'],
    ['an array', ['SECRET'], 'is an array, not an object'],
    ['nothing in it', {}, 'has no access_token (undefined)'],
    ['null as token', { access_token: null }, 'has no access_token (null)'],
    ['an empty token', { access_token: '' }, 'has no access_token (empty)'],
    ['a token in an array', { access_token: ['SECRET'] }, 'has no access_token (an array)'],
    ['a token that is a number', { access_token: 5 }, 'has no access_token (number)'],
    ['an error that is no string', { error: { code: 'SECRET' } }, 'has no access_token (undefined)'],
    ['a space', { access_token: 'SECRET x' }, 'has an access_token that no header can carry'],
    ['a line break', { access_token: 'SECRET\r\nx: y' }, 'has an access_token that no header can carry'],
    ['a trailing line break', { access_token: 'SECRET\n' }, 'has an access_token that no header can carry'],
    ['NUL', { access_token: 'SECRET\0' }, 'has an access_token that no header can carry'],
    ['DEL', { access_token: 'SECRET\x7f' }, 'has an access_token that no header can carry'],
    ['Latin-1', { access_token: 'SECRETé' }, 'has an access_token that no header can carry'],
    ['more than that', { access_token: 'SECRET☕' }, 'has an access_token that no header can carry'],
    ['an empty type', { access_token: 'SECRET', token_type: '' }, 'has a token_type that no header can carry'],
    [
      'a type with a space',
      { access_token: 'SECRET', token_type: 'My Bearer' },
      'has a token_type that no header can carry',
    ],
    [
      'a type with a line break',
      { access_token: 'SECRET', token_type: 'Bearer\n' },
      'has a token_type that no header can carry',
    ],
    [
      'a type that is no string',
      { access_token: 'SECRET', token_type: 5 },
      'has a token_type that no header can carry',
    ],
  ])('should refuse, and not quote: %s', (_kind, value, fault) => {
    const error = failureOf(value);
    expect(error).toBeInstanceOf(InvalidTokenResponseError);
    expect(error!.message).toBe(`the token response ${fault}`);
  });

  it('should refuse null', () => {
    expect(failureOf(null)).toBeInstanceOf(InvalidTokenResponseError);
  });

  it.each([
    [{ error: 'invalid_client' }, 'the token endpoint answered with the error invalid_client', undefined],
    [
      { error: 'invalid_grant', error_description: 'expired' },
      'the token endpoint answered with the error invalid_grant',
      'expired',
    ],
    [{ error: 'slow_down', error_description: 5 }, 'the token endpoint answered with the error slow_down', undefined],
    [{ error: 'a\nb' }, 'the token endpoint answered with the error (unprintable)', undefined],
    [{ error: '' }, 'the token endpoint answered with the error (unprintable)', undefined],
    [{ error: 'x'.repeat(81) }, 'the token endpoint answered with the error (unprintable)', undefined],
    [
      { error: 'server_error', access_token: null },
      'the token endpoint answered with the error server_error',
      undefined,
    ],
    [{ error: 'server_error', access_token: 7 }, 'the token endpoint answered with the error server_error', undefined],
  ])('should make a TokenEndpointError of %j', (value, message, description) => {
    const error = failureOf(value) as TokenEndpointError;
    expect(error).toBeInstanceOf(TokenEndpointError);
    expect([error.message, error.error, error.error_description]).toEqual([message, value.error, description]);
    expect('error_description' in error).toBe(description !== undefined);
  });
});
