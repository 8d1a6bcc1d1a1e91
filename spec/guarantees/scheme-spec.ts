import { firstValueFrom } from 'rxjs';
import { createFetch, takeToken, type TokenResponse, type TokenStreamOptions } from 'rx-fresh-token';
import { answer, openStream } from './rig.js';

/** The header that goes out, and the token. */
async function sent(token_type: unknown, options: TokenStreamOptions = {}) {
  const response = { access_token: 'abc', expires_in: 30, token_type } as TokenResponse;
  const token$ = openStream(() => [response], options);
  const seen: (string | null)[] = [];
  const fetch = createFetch(token$, {
    baseUrl: 'https://api.example.com',
    fetch: (_input, init) => {
      seen.push(new Headers(init?.headers).get('authorization'));
      return Promise.resolve(answer(200));
    },
  });
  await fetch('/a');
  const token = await firstValueFrom(takeToken(token$));
  token$.close();
  return { header: seen[0], token };
}

describe('31: the scheme that is sent', () => {
  it.each<[unknown, string]>([
    [undefined, 'Bearer abc'],
    [null, 'Bearer abc'],
    ['bearer', 'Bearer abc'],
    ['', 'Bearer abc'],
    ['Bearer ', 'Bearer abc'],
    ['Application Access Token', 'Bearer abc'],
    ['JWT', 'Bearer abc'],
    ['urn:ietf:params:oauth:token-type:access_token', 'Bearer abc'],
    ['Bearer\r\nx-evil: 1', 'Bearer abc'],
    ['кириллица', 'Bearer abc'],
    [5, 'Bearer abc'],
    ['dpop', 'DPoP abc'],
    [' DPOP\n', 'DPoP abc'],
  ])('is, for the token_type %j, that of %s; raw keeps what the endpoint said', async (token_type, header) => {
    const { header: seen, token } = await sent(token_type);
    expect([seen, token.raw.token_type]).toEqual([header, token_type]);
    expect(`${token.type} ${token.value}`).toBe(header);
  });

  it.each<[string, unknown]>([
    ['Token', undefined],
    ['Token', 'bearer'],
    ['Bearer', 'DPoP'],
    ['JWT', 'JWT'],
    ['bearer', 'Bearer'],
  ])('is what the option tokenType says: %s, whatever token_type says: %j', async (tokenType, token_type) => {
    const { header, token } = await sent(token_type, { tokenType });
    expect([header, token.type]).toEqual([`${tokenType} abc`, tokenType]);
  });

  it.each(['', ' ', 'My Token', 'Bearer\n', 'é', 5, null, {}])('is no tokenType of %j', (tokenType) => {
    expect(() => openStream(() => [{ access_token: 'a' }], { tokenType: tokenType as string })).toThrow(
      /^option "tokenType" must be visible ASCII/,
    );
  });
});
