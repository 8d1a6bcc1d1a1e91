import { jwtClaims } from '../../src/internal/values/jwtClaims.js';
import { base64url, jwt } from '../jwt.js';

describe('jwtClaims', () => {
  it.each<[string, string, object]>([
    ['a signed JWT', jwt({ exp: 1, iat: 2 }), { exp: 1, iat: 2 }],
    ['an unsigned one', `${base64url({})}.${base64url({ exp: 1 })}.`, { exp: 1 }],
    // "~~~" and "???" in the payload give - and _ in base64url.
    ['one whose payload needs - and _', jwt({ exp: 1, a: '~~~???ÿ' }), expect.objectContaining({ exp: 1 }) as object],
    [
      'one that is padded',
      ['{"a":1}', '{"exp":1}', 'xy'].map((part) => Buffer.from(part).toString('base64')).join('.'),
      { exp: 1 },
    ],
    ['an opaque token', 'opaque', {}],
    ['a token of two parts', 'a.b', {}],
    ['a token of four parts', `a.${base64url({ exp: 1 })}.b.c`, {}],
    ['a token of four parts, of which three are a JWT', `a.${jwt({ exp: 1 })}`, {}],
    ['a token of five parts, encrypted', 'a.b.c.d.e', {}],
    ['parts that are no base64url', 'a.{"exp":1}.c', {}],
    ['a payload that cannot be decoded', 'a.x.c', {}],
    ['a payload that is no JSON', `a.${base64url('exp=1')}.c`, {}],
    ['a payload that is null', jwt(null), {}],
    ['a payload that is a number', jwt(5), {}],
    ['an empty token', '', {}],
  ])('should read %s', (_kind, token, claims) => {
    expect(jwtClaims(token)).toEqual(claims);
  });
});
