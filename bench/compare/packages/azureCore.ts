import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createPipelineFromOptions,
  createPipelineRequest,
  type HttpClient,
} from '@azure/core-rest-pipeline';
import { fetchToken, type Candidate } from '../candidate.js';
import { withVersion } from './withVersion.js';

/** The policy sends tokens over https: only, so this client takes its requests to the loopback server. */
function loopbackClient(): HttpClient {
  const client = createDefaultHttpClient();
  return {
    sendRequest: (request) => {
      request.url = request.url.replace('https:', 'http:');
      request.allowInsecureConnection = true;
      return client.sendRequest(request);
    },
  };
}

/** The pipeline of the Azure clients with its defaults, and a credential that asks the local token endpoint. */
export const azureCore: Candidate = {
  name: withVersion('@azure/core-rest-pipeline'),
  connect: (target) => {
    const pipeline = createPipelineFromOptions({});
    pipeline.addPolicy(
      bearerTokenAuthenticationPolicy({
        scopes: 'orders',
        credential: {
          getToken: async () => {
            const { access_token: token, expires_in } = await fetchToken(target);
            return { token, expiresOnTimestamp: Date.now() + expires_in * 1000 };
          },
        },
      }),
    );
    const client = loopbackClient();
    const origin = target.origin.replace('http:', 'https:');
    return {
      get: async (path) => {
        const request = createPipelineRequest({ url: `${origin}${path}` });
        return (await pipeline.sendRequest(client, request)).status;
      },
    };
  },
};
