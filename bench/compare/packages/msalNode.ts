import { ConfidentialClientApplication, type INetworkModule, type NetworkRequestOptions } from '@azure/msal-node';
import type { Candidate } from '../candidate.js';
import { metadata } from '../server.js';
import { repeatOnce, sendTo } from './repeatOnce.js';
import { withVersion } from './withVersion.js';

/** MSAL takes an https: authority only, so this network module takes its requests to the loopback server. */
const AUTHORITY = 'https://login.example';

function loopbackNetwork(origin: string): INetworkModule {
  async function send<T>(method: string, url: string, { headers = {}, body }: NetworkRequestOptions = {}) {
    const response = await fetch(url.replace(AUTHORITY, origin), { method, headers, body });
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: (await response.json()) as T,
    };
  }
  return {
    sendGetRequestAsync: (url, options) => send('GET', url, options),
    sendPostRequestAsync: (url, options) => send('POST', url, options),
  };
}

/** Client credentials with the cache of MSAL. After a refusal the user asks it to pass its cache by. */
export const msalNode: Candidate = {
  name: withVersion('@azure/msal-node'),
  connect: (target) => {
    const application = new ConfidentialClientApplication({
      auth: {
        clientId: target.clientId,
        clientSecret: target.clientSecret,
        authority: `${AUTHORITY}/tenant`,
        knownAuthorities: ['login.example'],
        authorityMetadata: JSON.stringify(metadata(AUTHORITY)),
      },
      system: { networkClient: loopbackNetwork(target.origin), protocolMode: 'OIDC' },
    });
    return repeatOnce(async ({ afterRefusal }) => {
      const request = { scopes: ['orders/.default'], skipCache: afterRefusal };
      const result = await application.acquireTokenByClientCredential(request);
      if (result === null) throw new Error('MSAL gave no token');
      return result.accessToken;
    }, sendTo(target));
  },
};
