import { Code, ConnectError, type Interceptor } from '@connectrpc/connect';
import { firstValueFrom } from 'rxjs';
import { withToken, type TokenStream } from 'rx-fresh-token';

export const addToken =
  (token$: TokenStream): Interceptor =>
  (next) =>
  (request) => {
    const isRejection = (error: unknown) => !request.stream && ConnectError.from(error).code === Code.Unauthenticated;
    const send = (token: { value: string }) => {
      request.header.set('authorization', `Bearer ${token.value}`);
      return next(request);
    };
    return firstValueFrom(token$.pipe(withToken(send, { isRejection, key: request.url })));
  };
