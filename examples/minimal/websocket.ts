// A WebSocket that stays open: the server gets each new token, and a lost connection is opened again.
//   TOKEN_URL=… FEED=wss://api.example.com/feed node --import ./scripts/dist.mjs examples/minimal/websocket.ts
import { Observable } from 'rxjs';
import { WebSocket } from 'ws';
import { createTokenStream, type AccessToken } from 'rx-fresh-token';
import { connectWithToken } from 'rx-fresh-token/connect';

const { TOKEN_URL = '', FEED = '' } = process.env;

const token$ = createTokenStream(({ signal }) => fetch(TOKEN_URL, { method: 'POST', signal }));
let current: WebSocket | undefined;

const open = ({ value }: AccessToken, opened: () => void) =>
  new Observable<string>((subscriber) => {
    const socket = (current = new WebSocket(FEED));
    socket.on('open', () => socket.send(value));
    socket.on('open', opened);
    socket.on('message', (data: Buffer) => subscriber.next(data.toString()));
    socket.on('error', (error) => subscriber.error(error));
    socket.on('close', (code) => subscriber.error(Object.assign(new Error(`close ${code}`), { code })));
    return () => socket.close();
  });

connectWithToken(token$, open, { onRenewal: ({ value }) => current?.send(value) }).subscribe({
  next: (message) => console.log(message),
  error: (error: unknown) => console.error(error),
});
