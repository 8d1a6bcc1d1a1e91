import { createIsIdentityExpiredFunction, doesIdentityRequireRefresh, memoizeIdentityProvider } from '@smithy/core';
import { fetchToken, type Candidate } from '../candidate.js';
import { repeatOnce, sendTo } from './repeatOnce.js';
import { withVersion } from './withVersion.js';

/**
 * What the clients of AWS put around a token provider. The window is five minutes by default; here it is half a second.
 */
export const smithyCore: Candidate = {
  name: withVersion('@smithy/core'),
  connect: (target) => {
    const provider = memoizeIdentityProvider(
      async () => {
        const { access_token: token, expires_in } = await fetchToken(target);
        return { token, expiration: new Date(Date.now() + expires_in * 1000) };
      },
      createIsIdentityExpiredFunction(500),
      doesIdentityRequireRefresh,
    );
    return repeatOnce(
      async ({ afterRefusal }) => (await provider?.({ forceRefresh: afterRefusal }))?.token ?? '',
      sendTo(target),
    );
  },
};
