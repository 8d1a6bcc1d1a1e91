import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client';
import { createFetch, type FetchOptions, type TokenStream } from 'rx-fresh-token';

export const apolloWithToken = (token$: TokenStream, uri: string, options?: FetchOptions) => {
  const fetch = createFetch(token$, { allowedOrigins: [new URL(uri).origin], ...options });
  return new ApolloClient({ link: new HttpLink({ uri, fetch }), cache: new InMemoryCache() });
};
