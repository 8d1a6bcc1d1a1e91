import { inspect } from 'node:util';
import { accessToken, sameToken } from '../../../src/token/decisions/accessToken.js';
import type { TokenResponse } from '../../../src/token/types.js';

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
    [' DPoP\t', 'DPoP'],
    ['', 'Bearer'],
    ['  ', 'Bearer'],
    ['Bearer ', 'Bearer'],
    ['JWT', 'Bearer'],
    ['Application Access Token', 'Bearer'],
    ['bearers', 'Bearer'],
    ['DPoP-ish', 'Bearer'],
    ['Bearer\r\nx: y', 'Bearer'],
    ['кириллица', 'Bearer'],
    [5, 'Bearer'],
    [{}, 'Bearer'],
  ])('should make of the token_type %p the type %s', (token_type, type) => {
    expect(accessToken({ access_token: 'a', token_type } as TokenResponse, 0, 1).type).toBe(type);
  });

  it.each([undefined, 'DPoP', 'Application Access Token'])(
    'should have the scheme that is given, whatever the token_type %p says',
    (token_type) => {
      const token = accessToken({ access_token: 'a', token_type }, 0, 1, 'Token');
      expect([token.type, token.raw.token_type]).toEqual(['Token', token_type]);
    },
  );

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
