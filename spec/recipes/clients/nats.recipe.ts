import { connect, jwtAuthenticator, type ConnectionOptions } from 'nats';
import { firstValueFrom } from 'rxjs';
import { takeToken, type TokenStream } from 'rx-fresh-token';

export const connectWithToken = async (token$: TokenStream, options: ConnectionOptions) => {
  await firstValueFrom(takeToken(token$));
  const authenticator = jwtAuthenticator(() => token$.current?.value ?? '');
  const connection = await connect({ maxReconnectAttempts: -1, ignoreAuthErrorAbort: true, ...options, authenticator });
  const fresh = token$.subscribe({ error: () => void connection.close() });
  void connection.closed().then(() => fresh.unsubscribe());
  return connection;
};
