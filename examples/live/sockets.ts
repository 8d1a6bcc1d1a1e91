import { defer, Observable, repeat, retry, switchMap, type Subscription } from 'rxjs';
import { WebSocket } from 'ws';
import type { TokenStream } from 'rx-fresh-token';
import { connectWithToken } from 'rx-fresh-token/connect';
import type { LiveClock } from './liveClock.js';
import type { LaneEvent, LaneName } from './liveEvent.js';
import type { TokenRegistry } from './tokenRegistry.js';

export interface SocketWatch {
  readonly lane: LaneName;
  readonly url: string;
  readonly clock: LiveClock;
  readonly registry: TokenRegistry;
  readonly emit: (event: LaneEvent) => void;
}

/** Of the status quo, between two connections, in ms. */
const PAUSE = 1_000;

/** The library's connection: it tells the server each new token, and so outlives them all. */
export function ourSocket(token$: TokenStream, watch: SocketWatch): Subscription {
  const socket = watchedSocket(watch);
  const messages$ = connectWithToken(token$, ({ value }, opened) => socket.open(value, opened), {
    onRenewal: ({ value }) => socket.send(value),
    reconnect: { initial: 100, max: 2_000 },
  });
  // A permanent end is told by the requests of the lane.
  return messages$.subscribe({ error: () => undefined });
}

/**
 * The connection that many have today: opened with the token of then, and opened anew when the server has closed it.
 */
export function theirSocket(token: () => Promise<string>, watch: SocketWatch): Subscription {
  const socket = watchedSocket(watch);
  return defer(token)
    .pipe(
      switchMap((value) => socket.open(value, () => undefined)),
      retry({ delay: PAUSE }),
      repeat({ delay: PAUSE }),
    )
    .subscribe();
}

/**
 * Opens WebSockets one after the other, and tells of each and its messages. Messages are numbered, so that a gap shows.
 */
function watchedSocket({ lane, url, clock, registry, emit }: SocketWatch) {
  let last: number | undefined;
  let current: WebSocket | undefined;
  const tell = (what: 'opened' | 'message' | 'renewed' | 'ended', value: string, missed = 0): void =>
    emit({ type: 'socket', lane, at: clock.now(), what, token: registry.find(value)?.number ?? -1, missed });

  const open = (value: string, opened: () => void): Observable<string> =>
    new Observable((subscriber) => {
      const socket = new WebSocket(url);
      let isAdmitted = false;
      current = socket;
      socket.on('open', () => socket.send(value));
      socket.on('message', (data: Buffer) => {
        const number = Number(data.toString());
        // The first message shows that the server has taken the token.
        if (!isAdmitted) {
          tell('opened', value);
          opened();
        }
        isAdmitted = true;
        tell('message', value, number - (last ?? number - 1) - 1);
        last = number;
        subscriber.next(data.toString());
      });
      socket.on('error', (error) => subscriber.error(error));
      socket.on('close', (code) => {
        if (isAdmitted) tell('ended', value);
        subscriber.error(Object.assign(new Error(`close ${code}`), { code }));
      });
      return () => socket.close();
    });

  return {
    open,
    send: (value: string): void => {
      if (current?.readyState !== WebSocket.OPEN) return;
      current.send(value);
      tell('renewed', value);
    },
  };
}
