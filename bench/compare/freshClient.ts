import { createFetch, createTokenStream } from 'rx-fresh-token';
import { clientCredentials } from 'rx-fresh-token/oauth';
import type { Candidate } from './candidate.js';

export const freshClient: Candidate = {
  name: 'rx-fresh-token',
  connect: ({ origin, tokenUrl, clientId, clientSecret }) => {
    const token$ = createTokenStream(clientCredentials({ tokenEndpoint: tokenUrl, clientId, clientSecret }));
    const fetchWithToken = createFetch(token$, { baseUrl: origin });
    return {
      get: async (path) => {
        const response = await fetchWithToken(path);
        await response.arrayBuffer();
        return response.status;
      },
      close: () => token$.close(),
    };
  },
};
