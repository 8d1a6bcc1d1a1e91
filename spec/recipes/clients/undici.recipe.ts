import { firstValueFrom } from 'rxjs';
import { takeToken, type TokenStream } from 'rx-fresh-token';
import { Pool, type Dispatcher } from 'undici';

export const poolWithToken = (token$: TokenStream, origin: string) =>
  new Pool(origin).compose((dispatch) => (options, handler) => {
    const send = (authorization: string) =>
      dispatch({ ...options, headers: { ...options.headers, authorization } }, handler);
    firstValueFrom(takeToken(token$)).then(
      ({ value }) => send(`Bearer ${value}`),
      (error: Error) => handler.onResponseError?.({} as Dispatcher.DispatchController, error),
    );
    return true;
  });
