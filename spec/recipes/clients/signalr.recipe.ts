import { DefaultHttpClient, HubConnectionBuilder, NullLogger, type HttpRequest } from '@microsoft/signalr';
import { firstValueFrom } from 'rxjs';
import { takeToken, type AccessToken, type TokenStream } from 'rx-fresh-token';

export const hubWithToken = (token$: TokenStream, url: string) => {
  let sent: AccessToken | undefined;
  class HttpClient extends DefaultHttpClient {
    override async send(request: HttpRequest) {
      try {
        return await super.send(request);
      } catch (error) {
        if (sent && (error as { statusCode?: number }).statusCode === 401) token$.reject(sent);
        throw error;
      }
    }
  }
  const accessTokenFactory = async () => (sent = await firstValueFrom(takeToken(token$))).value;
  const httpClient = new HttpClient(NullLogger.instance);
  return new HubConnectionBuilder().withUrl(url, { accessTokenFactory, httpClient }).withAutomaticReconnect();
};
