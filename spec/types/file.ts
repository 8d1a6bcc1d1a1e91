// Compiled only.
import { expectTypeOf } from 'expect-type';
import { createTokenStream, type TokenStore, type TokenStream } from 'rx-fresh-token';
import { fileTokenStore } from 'rx-fresh-token/file';

expectTypeOf(fileTokenStore).returns.toEqualTypeOf<TokenStore>();
expectTypeOf(
  createTokenStream(() => [{ access_token: 'T1' }], { store: fileTokenStore('token.json') }),
).toEqualTypeOf<TokenStream>();

fileTokenStore('token.json', { staleAfter: undefined, lifetime: undefined });
fileTokenStore('token.json', { staleAfter: Infinity, lifetime: ({ access_token }) => access_token.length });
// @ts-expect-error -- a file is named by its path
fileTokenStore(new URL('file:///token.json'));
// @ts-expect-error -- milliseconds are a number
fileTokenStore('token.json', { staleAfter: '10s' });
