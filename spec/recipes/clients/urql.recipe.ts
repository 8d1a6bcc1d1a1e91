import { Client, fetchExchange } from '@urql/core';
import { createFetch, type FetchOptions, type TokenStream } from 'rx-fresh-token';

export const urqlWithToken = (token$: TokenStream, url: string, options?: FetchOptions) => {
  const fetch = createFetch(token$, { allowedOrigins: [new URL(url).origin], ...options });
  return new Client({ url, exchanges: [fetchExchange], fetch, preferGetMethod: false });
};

type GraphQlAnswer = { errors?: { extensions?: { code?: string } }[] };

/** For a server that answers a rejected token with status 200 and an error in the body. */
export const isRejection = async (response: Response) => {
  if (response.status === 401) return true;
  const type = response.headers.get('content-type') ?? '';
  if (!/^application\/(graphql-response\+)?json/.test(type)) return false; // HTML of a gateway, a stream of events
  const copy = response.clone();
  const body = (await copy.json().catch(() => null)) as GraphQlAnswer | null; // it may be cut off, or another's
  return Array.isArray(body?.errors) && body.errors.some((error) => error?.extensions?.code === 'UNAUTHENTICATED');
};
