import { connect, type IClientOptions } from 'mqtt';
import { firstValueFrom } from 'rxjs';
import { takeToken, type TokenStream } from 'rx-fresh-token';

export const connectWithToken = async (token$: TokenStream, url: string, options: IClientOptions) => {
  const { value: password } = await firstValueFrom(takeToken(token$));
  const client = connect(url, { ...options, password, reconnectOnConnackError: true });
  const tokens = token$.subscribe({
    next: ({ value }) => (client.options.password = value),
    error: (error: Error) => client.emit('error', error),
  });
  client.once('end', () => tokens.unsubscribe());
  return client;
};
