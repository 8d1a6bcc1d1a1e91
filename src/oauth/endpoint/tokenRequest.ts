/** The form that is sent to a token endpoint. */
import * as oauth from 'oauth4webapi';
import { displayUrl } from '../../internal/values/urls.js';
import { answeredBy, type Answer } from './answer.js';
import type { AuthorizationServer } from './authorizationServer.js';
import { boundedFetch, requestOptions, type OAuthFetch } from './boundedFetch.js';
import type { ClientIdentity } from './clientAuth.js';
import type { DpopHandle } from './dpop.js';
import type { CheckedOptions } from '../checks/checkOptions.js';
import type { TokenResponse } from '../../token/types.js';

/** Form parameters; what is undefined is left out. */
export type GrantParameters = Readonly<Record<string, string | undefined>>;

/** What is exchanged for a token. */
export interface GrantRequest {
  readonly grantType: string;
  readonly parameters: GrantParameters;
  readonly signal: AbortSignal;
  /** Called when a request is about to be sent, perhaps once more. Throws to prevent that. */
  readonly onSend?: (() => void) | undefined;
  /** Gets a response that is discarded, since its token is not bound: its refresh token must be kept. */
  readonly onDiscarded?: ((response: TokenResponse) => void) | undefined;
}

/** Sends one request to the token endpoint, and reads the answer. */
export async function sendTokenRequest(
  server: AuthorizationServer,
  { grantType, parameters, signal, onSend }: GrantRequest,
  options: CheckedOptions,
  identity: ClientIdentity,
  dpopHandle: DpopHandle | undefined,
): Promise<Answer> {
  const url = new URL(server.token_endpoint);
  const place = `the token endpoint ${displayUrl(url)}`;
  const fetch = boundedFetch(place, options.fetch);
  const fetchOnce: OAuthFetch = (target, init) => {
    onSend?.();
    return fetch(target, init);
  };
  const response = await oauth.genericTokenEndpointRequest(
    server,
    ...identity,
    grantType,
    // Pairs: the URLSearchParams of React Native cannot be made of others.
    [...formOf(options, parameters)],
    { ...requestOptions(fetchOnce, url, signal), DPoP: await dpopHandle?.() },
  );
  const { status, headers } = response;
  const body = await response.text();
  return { name: answeredBy(place, response), status, headers, body, received: Date.now() };
}

/**
 * The form of a request; oauth4webapi adds the grant type and the client. An option replaces the parameter of its name.
 */
function formOf({ parameters, scope, resource, audience }: CheckedOptions, own: GrantParameters): URLSearchParams {
  const form = new URLSearchParams(parameters);
  for (const [name, value] of Object.entries({ scope, ...own })) if (value !== undefined) form.set(name, value);
  for (const [name, values] of Object.entries({ resource, audience })) {
    if (values.length > 0) form.delete(name);
    for (const value of values) form.append(name, value);
  }
  return form;
}
