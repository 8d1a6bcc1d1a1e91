import { createFetch as createOfetch } from 'ofetch';
import { createFetch, type TokenStream } from 'rx-fresh-token';

export const ofetchWithToken = (token$: TokenStream, baseURL: string) => {
  const fetch = createFetch(token$, { allowedOrigins: [new URL(baseURL).origin] });
  return createOfetch({ fetch, Headers, AbortController, defaults: { baseURL } });
};
