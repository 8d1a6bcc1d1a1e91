import * as oauth from 'oauth4webapi';
import type { Transport } from './boundedFetch.js';

/** oauth4webapi's options for one request. `http:` URLs have passed `objectionTo` by now: they are loopback, or allowed. */
export const requestBy = (transport: Transport, url: URL, signal?: AbortSignal) => ({
  signal,
  [oauth.customFetch]: transport,
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so in order to stand out
  [oauth.allowInsecureRequests]: url.protocol === 'http:',
});
