import { createClient } from 'graphql-ws';
import { firstValueFrom } from 'rxjs';
import { takeToken, type AccessToken, type TokenStream } from 'rx-fresh-token';
import { WebSocket } from 'ws';

export const clientWithToken = (token$: TokenStream, url: string) => {
  let sent: AccessToken | undefined;
  return createClient({
    url,
    webSocketImpl: WebSocket,
    connectionParams: async () => {
      sent = await firstValueFrom(takeToken(token$));
      return { token: sent.value };
    },
    retryAttempts: Infinity,
    shouldRetry: () => true,
    on: {
      closed: (end) => {
        if (sent && (end as { code?: number }).code === 4403) token$.reject(sent);
      },
    },
  });
};
