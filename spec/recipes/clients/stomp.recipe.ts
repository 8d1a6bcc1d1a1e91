import { Client, type StompConfig } from '@stomp/stompjs';
import { catchError, firstValueFrom, map, of } from 'rxjs';
import { takeToken, type TokenStream } from 'rx-fresh-token';

export const clientWithToken = (token$: TokenStream, config: StompConfig) => {
  const passcode$ = takeToken(token$).pipe(
    map(({ value }) => value),
    catchError(() => of('')),
  );
  const beforeConnect = async (client: Client) => {
    client.connectHeaders = { ...config.connectHeaders, passcode: await firstValueFrom(passcode$) };
  };
  return new Client({ connectionTimeout: 5_000, discardWebsocketOnCommFailure: true, ...config, beforeConnect });
};
