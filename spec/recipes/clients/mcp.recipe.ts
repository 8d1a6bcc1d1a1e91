import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { createFetch, type TokenStream } from 'rx-fresh-token';

export const mcpWithToken = (token$: TokenStream, url: URL) => {
  const fetch = createFetch(token$, { allowedOrigins: [url.origin] });
  return new StreamableHTTPClientTransport(url, { fetch });
};
