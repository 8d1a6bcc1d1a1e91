import { firstValueFrom } from 'rxjs';
import { takeToken, type TokenStream } from 'rx-fresh-token';
import { io } from 'socket.io-client';

export const socketWithToken = (token$: TokenStream, url: string) =>
  io(url, {
    auth: (send) => {
      firstValueFrom(takeToken(token$)).then(
        ({ value }) => send({ token: value }),
        () => send({}),
      );
    },
  });
