import ky from 'ky';
import { createFetch, type TokenStream } from 'rx-fresh-token';

export const kyWithToken = (token$: TokenStream, prefixUrl: string) => {
  const fetch = createFetch(token$, { allowedOrigins: [new URL(prefixUrl).origin] });
  return ky.create({ prefixUrl, fetch });
};
