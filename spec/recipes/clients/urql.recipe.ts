import { Client, fetchExchange } from '@urql/core';
import { createFetch, type TokenStream } from 'rx-fresh-token';

export const urqlWithToken = (token$: TokenStream, url: string) => {
  const fetch = createFetch(token$, { allowedOrigins: [new URL(url).origin] });
  return new Client({ url, exchanges: [fetchExchange], fetch, preferGetMethod: false });
};
