/** The page of connect-spec: one stream of messages, by RxJS' `webSocket` as docs/connect.md has it. */
import { createTokenStream } from 'rx-fresh-token';
import { connectWithToken } from 'rx-fresh-token/connect';
import { merge, Subject, switchMap, tap, throwError, type Subscription } from 'rxjs';
import { webSocket } from 'rxjs/webSocket';

const url = new URLSearchParams(location.search).get('url') ?? '';
const sockets: WebSocket[] = [];
const errors: string[] = [];
let messages = 0;
let renewals = 0;

class RecordedSocket extends WebSocket {
  constructor(...args: ConstructorParameters<typeof WebSocket>) {
    super(...args);
    sockets.push(this);
  }
}

// The budget is for a server that rejects every token: here tokens are revoked all the time.
const token$ = createTokenStream(({ signal }) => fetch('/token', { method: 'POST', signal }), {
  rejectionBudget: { max: 1000 },
});
token$.events.subscribe((event) => {
  if (event.type === 'tokenChanged' && event.reason === 'scheduled') renewals++;
});
// Without a listener nothing renews the token while a connection is open.
const listening = token$.subscribe();

const messages$ = connectWithToken(
  token$,
  (token, opened) => {
    const closed$ = new Subject<{ code: number }>();
    const socket$ = webSocket<string>({
      url,
      protocol: ['live.v1', `bearer.${token.value}`],
      openObserver: { next: opened },
      closeObserver: closed$,
      WebSocketCtor: RecordedSocket,
    });
    // The server is told what has arrived.
    const messages$ = socket$.pipe(tap((message) => socket$.next(message)));
    return merge(closed$.pipe(switchMap((end) => throwError(() => end as unknown))), messages$);
  },
  { reconnect: { initial: 50, max: 250 } },
);

const running: Subscription = messages$.subscribe({
  next: () => messages++,
  error: (error: unknown) => errors.push(String(error)),
  complete: () => errors.push('completed'),
});

const page = {
  report: () => ({
    messages,
    renewals,
    errors,
    /** Sockets that are opening, open or closing. */
    left: sockets.filter(({ readyState }) => readyState !== WebSocket.CLOSED).length,
  }),
  leave: () => {
    running.unsubscribe();
    listening.unsubscribe();
  },
};
export type ConnectPage = typeof page;
Object.assign(globalThis, { connection: page });
