import { Observable, tap } from 'rxjs';
import type { TokenStream } from 'rx-fresh-token';
import { connectWithToken } from 'rx-fresh-token/connect';
import { WebSocket } from 'ws';

export const messages = (token$: TokenStream, url: string) =>
  connectWithToken(token$, (token, opened) => {
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token.value}` } });
    return new Observable<string>((subscriber) => {
      socket.on('open', opened).on('message', (data: Buffer) => subscriber.next(data.toString()));
      socket.on('error', (error) => subscriber.error(error));
      socket.on('close', (code) => subscriber.error(Object.assign(new Error(`close ${code}`), { code })));
      return () => socket.close();
    }).pipe(tap({ error: (end) => console.warn('connection ended:', end) }));
  });
