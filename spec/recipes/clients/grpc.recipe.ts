import { credentials, Metadata } from '@grpc/grpc-js';
import { firstValueFrom } from 'rxjs';
import { takeToken, type TokenStream } from 'rx-fresh-token';

export const credentialsWithToken = (token$: TokenStream, ssl = credentials.createSsl()) => {
  const perCall = credentials.createFromMetadataGenerator((_context, send) => {
    const metadata = new Metadata();
    firstValueFrom(takeToken(token$)).then(({ value }) => {
      metadata.set('authorization', `Bearer ${value}`);
      send(null, metadata);
    }, send);
  });
  return credentials.combineChannelCredentials(ssl, perCall);
};
