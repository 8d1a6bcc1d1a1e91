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
      return basic(clientSecret);
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

/**
 * `client_secret_basic` (RFC 6749 section 2.3.1). oauth4webapi's own also encodes `-`, `.`, `_` and `*`, which
 * `application/x-www-form-urlencoded` leaves as they are, and many servers compare the pair without decoding it.
 */
const basic =
  (clientSecret: string): oauth.ClientAuth =>
  (_server, client, _body, headers) => {
    headers.set('authorization', `Basic ${btoa(`${formEncoded(client.client_id)}:${formEncoded(clientSecret)}`)}`);
  };

/** As the URL standard encodes a form: letters, digits and `* - . _` stay, a space becomes `+`. */
const formEncoded = (value: string): string => new URLSearchParams({ '': value }).toString().slice(1);

/** What oauth4webapi wants to know of the client. */
export const clientOf = ({ clientId, clientAuth }: OAuthOptions, skew: number): oauth.Client => ({
  client_id: clientId,
  use_mtls_endpoint_aliases: clientAuth === 'tls_client_auth',
  [oauth.clockSkew]: skew,
});
