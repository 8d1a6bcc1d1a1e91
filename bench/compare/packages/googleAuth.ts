import { OAuth2Client } from 'google-auth-library';
import type { Candidate } from '../candidate.js';
import { withVersion } from './withVersion.js';

/**
 * A client with a refresh token, pointed at the local token endpoint. By default it renews five minutes before the end
 * and does not repeat a refused request: both are options, set for tokens of two seconds and for revocations.
 */
export const googleAuth: Candidate = {
  name: withVersion('google-auth-library'),
  connect: ({ origin, tokenUrl, clientId, clientSecret }) => {
    const client = new OAuth2Client({
      clientId,
      clientSecret,
      endpoints: { oauth2TokenUrl: tokenUrl },
      eagerRefreshThresholdMillis: 500,
      forceRefreshOnFailure: true,
    });
    client.setCredentials({ refresh_token: 'a-refresh-token' });
    return { get: async (path) => (await client.request({ url: `${origin}${path}` })).status };
  },
};
