import * as oauth from 'oauth4webapi';

/** The error that a challenge names (RFC 6750 section 3). */
export type Challenge = Pick<oauth.WWWAuthenticateChallengeParameters, 'error' | 'error_description'>;

/**
 * The error of the first `WWW-Authenticate` challenge that names one (RFC 9110 section 11.6.1). oauth4webapi parses
 * them, but exports no parser: it throws what it parsed when it processes an answer without a body.
 */
export async function challengeOf({
  status,
  headers,
}: Pick<Response, 'status' | 'headers'>): Promise<Challenge | undefined> {
  if (!headers.has('www-authenticate')) return undefined;
  const failure: unknown = await oauth
    .processRevocationResponse(new Response(null, { status, headers }))
    .catch((thrown: unknown) => thrown);
  if (!(failure instanceof oauth.WWWAuthenticateChallengeError)) return undefined;
  return failure.cause
    .map(({ parameters: { error, error_description } }) => ({ error, error_description }))
    .find(({ error }) => error !== undefined);
}
