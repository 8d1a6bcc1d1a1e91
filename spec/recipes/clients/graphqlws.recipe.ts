import { createClient } from 'graphql-ws';
import { firstValueFrom } from 'rxjs';
import { takeToken, type TokenStream } from 'rx-fresh-token';
import { WebSocket } from 'ws';

export const clientWithToken = (token$: TokenStream, url: string) =>
  createClient({
    url,
    webSocketImpl: WebSocket,
    connectionParams: async () => ({ token: (await firstValueFrom(takeToken(token$))).value }),
    retryAttempts: Infinity,
    shouldRetry: () => true,
  });
