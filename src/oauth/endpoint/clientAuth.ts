/** How the client authenticates at the token endpoint: by a secret, a signed assertion, TLS or not at all. */
import * as oauth from 'oauth4webapi';
import type { CheckedOptions } from '../checks/checkOptions.js';
import { supplied, type Supplied } from '../checks/supplied.js';

/** Who the client is, and how it says so, in one request: what oauth4webapi wants to know. */
export type ClientIdentity = [oauth.Client, oauth.ClientAuth];

/**
 * @param skew seconds by which the server's clock is ahead of ours
 * @param signal of the request
 */
export const clientIdentity = (options: CheckedOptions, skew: number, signal: AbortSignal): ClientIdentity => [
  { client_id: options.clientId, [oauth.clockSkew]: skew },
  clientAuthOf(options, signal),
];

function clientAuthOf(options: CheckedOptions, signal: AbortSignal): oauth.ClientAuth {
  const { clientAuth, clientSecret = '', privateKey, clientAssertion } = options;
  if (clientAssertion !== undefined) return assertion(clientAssertion, signal);
  return {
    client_secret_basic: () => basic(clientSecret),
    client_secret_post: () => oauth.ClientSecretPost(clientSecret),
    private_key_jwt: () => oauth.PrivateKeyJwt(privateKey as oauth.PrivateKey),
    tls_client_auth: oauth.None,
    none: oauth.None,
  }[clientAuth]();
}

/** An assertion that is made elsewhere (RFC 7523 section 2.2). */
const assertion =
  (given: Supplied, signal: AbortSignal): oauth.ClientAuth =>
  async (_server, client, body) => {
    body.set('client_id', client.client_id);
    body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    body.set('client_assertion', await supplied('clientAssertion', given, signal));
  };

/**
 * `client_secret_basic` (RFC 6749 section 2.3.1). oauth4webapi's own also encodes `-`, `.`, `_` and `*`, which
 * `application/x-www-form-urlencoded` leaves as they are, and many servers compare the pair without decoding it.
 */
const basic =
  (clientSecret: string): oauth.ClientAuth =>
  (_server, client, _body, headers) =>
    headers.set('authorization', `Basic ${btoa(`${formEncoded(client.client_id)}:${formEncoded(clientSecret)}`)}`);

/** As the URL standard encodes a form: letters, digits and `* - . _` stay, a space becomes `+`. */
const formEncoded = (value: string): string => new URLSearchParams({ '': value }).toString().slice(1);
