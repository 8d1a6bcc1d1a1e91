import { EventSource } from 'eventsource';
import { createFetch, type TokenStream } from 'rx-fresh-token';

export const eventSourceWithToken = (token$: TokenStream, url: string) => {
  const fetch = createFetch(token$, { allowedOrigins: [new URL(url).origin] });
  return new EventSource(url, { fetch: (to, init) => fetch(to, init as RequestInit) });
};
