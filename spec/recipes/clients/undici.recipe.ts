import { firstValueFrom } from 'rxjs';
import { takeToken, type TokenStream } from 'rx-fresh-token';
import { Pool } from 'undici';

export const poolWithToken = (token$: TokenStream, origin: string) =>
  new Pool(origin).compose((dispatch) => (options, handler) => {
    const send = (authorization: string) =>
      dispatch({ ...options, headers: { ...options.headers, authorization } }, handler);
    firstValueFrom(takeToken(token$)).then(
      ({ value }) => send(`Bearer ${value}`),
      (error: Error) => handler.onError?.(error),
    );
    return true;
  });
