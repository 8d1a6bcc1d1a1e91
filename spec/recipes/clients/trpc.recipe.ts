import { createTRPCClient, httpBatchLink, httpSubscriptionLink, splitLink, type TRPCLink } from '@trpc/client';
import { observable, observableToPromise } from '@trpc/server/observable';
import { EventSource } from 'eventsource';
import { createFetch, withToken, type AccessToken, type TokenStream } from 'rx-fresh-token';
import type { AppRouter } from './router.js'; // of your tRPC server

export const trpcWithToken = (token$: TokenStream, url: string) => {
  const tokenLink: TRPCLink<AppRouter> =
    () =>
    ({ next, op }) => {
      const send = ({ value }: AccessToken) =>
        observableToPromise(next({ ...op, context: { ...op.context, token: value } }));
      return observable((seen) => token$.pipe(withToken(send, { key: op.path })).subscribe(seen));
    };
  const http = httpBatchLink({
    url,
    headers: ({ opList }) => ({ authorization: `Bearer ${String(opList.at(-1)?.context['token'])}` }),
  });
  const fetch = createFetch(token$, { allowedOrigins: [new URL(url).origin] });
  const events = httpSubscriptionLink({
    url,
    EventSource,
    eventSourceOptions: { fetch: (to, init) => fetch(to, init as RequestInit) },
  });
  const links = splitLink({ condition: ({ type }) => type === 'subscription', true: events, false: [tokenLink, http] });
  return createTRPCClient<AppRouter>({ links: [links] });
};
