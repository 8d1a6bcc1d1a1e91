import {
  allowInsecureRequests,
  clientCredentialsGrant,
  discovery,
  fetchProtectedResource,
  WWWAuthenticateChallengeError,
  type Configuration,
} from 'openid-client';
import type { Candidate } from '../candidate.js';
import { repeatOnce } from './repeatOnce.js';
import { withVersion } from './withVersion.js';

/** Milliseconds before its end that the cache below gives a token up. */
const MARGIN = 500;

/** It fetches tokens and sends requests, and keeps no token: the cache is written by hand. */
export const openidClient: Candidate = {
  name: withVersion('openid-client'),
  connect: async ({ origin, clientId, clientSecret }) => {
    const config = await discovery(new URL(origin), clientId, clientSecret, undefined, {
      // Marked as deprecated to warn, and meant for tests over http:.
      execute: [allowInsecureRequests],
    });
    return repeatOnce(tokenCache(config), async (token, path) => {
      try {
        const response = await fetchProtectedResource(config, token, new URL(path, origin), 'GET');
        await response.arrayBuffer();
        return response.status;
      } catch (error) {
        if (error instanceof WWWAuthenticateChallengeError) return error.status;
        throw error;
      }
    });
  },
};

/** One token until it ends, and one request for all who wait. */
function tokenCache(config: Configuration): ({ afterRefusal }: { readonly afterRefusal: boolean }) => Promise<string> {
  let token = '';
  let expiresAt = 0;
  let pending: Promise<string> | undefined;

  async function renew(): Promise<string> {
    try {
      const { access_token, expires_in = 0 } = await clientCredentialsGrant(config);
      token = access_token;
      expiresAt = Date.now() + expires_in * 1000;
      return token;
    } finally {
      pending = undefined;
    }
  }
  return async ({ afterRefusal }) => (!afterRefusal && expiresAt - MARGIN > Date.now() ? token : (pending ??= renew()));
}
