import { connect, type Options } from 'amqplib';
import { concatMap, firstValueFrom } from 'rxjs';
import { takeToken, type TokenStream } from 'rx-fresh-token';

export const connectWithToken = async (token$: TokenStream, options: Options.Connect) => {
  const { value: password } = await firstValueFrom(takeToken(token$));
  const connection = await connect({ ...options, username: '', password });
  const renewals = token$
    .pipe(concatMap(({ value }) => connection.updateSecret(Buffer.from(value), 'renewal')))
    .subscribe({ error: (error: Error) => connection.emit('error', error) });
  connection.once('close', () => renewals.unsubscribe());
  return connection;
};
