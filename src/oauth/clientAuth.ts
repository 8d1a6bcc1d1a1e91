import * as oauth from 'oauth4webapi';
import type { OAuthOptions } from './options.js';

/** Options that `checkOptions` let pass, as oauth4webapi's way to say who the client is. */
export function clientAuthOf({
  clientAuth = 'client_secret_basic',
  clientSecret = '',
  privateKey,
}: OAuthOptions): oauth.ClientAuth {
  switch (clientAuth) {
    case 'client_secret_basic':
      return oauth.ClientSecretBasic(clientSecret);
    case 'client_secret_post':
      return oauth.ClientSecretPost(clientSecret);
    case 'private_key_jwt':
      return oauth.PrivateKeyJwt(privateKey as oauth.PrivateKey);
    case 'tls_client_auth':
      return oauth.TlsClientAuth();
    case 'none':
      return oauth.None();
  }
}

/** What oauth4webapi wants to know of the client. */
export const clientOf = ({ clientId, clientAuth }: OAuthOptions, skew: number): oauth.Client => ({
  client_id: clientId,
  use_mtls_endpoint_aliases: clientAuth === 'tls_client_auth',
  [oauth.clockSkew]: skew,
});
