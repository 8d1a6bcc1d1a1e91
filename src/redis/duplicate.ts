/** A second connection of a client for pushes, for `redis` and `ioredis` alike. */
import { EMPTY, map, Observable, race, repeat, Subject, switchMap } from 'rxjs';
import type { Timers } from '../internal/timers.js';
import { isDown, isIoredis, type ClientState, type RedisClient } from './client.js';

/** `connected`, each time the channel is: messages may have been missed before; else a message. */
export type ChannelEvent = { readonly type: 'connected' } | { readonly type: 'message'; readonly text: string };

/** Subscribes to a channel on an open connection. It errors when the client refuses, or loses the connection. */
export type SubscribeTo = (channel: string) => Observable<ChannelEvent>;

type Listener = (message: string, channel: string) => void;

/** What is used of a duplicated connection. */
interface Duplicate extends ClientState {
  connect?(): Promise<unknown>;
  subscribe?(channel: string, listener?: Listener): Promise<unknown>;
  unsubscribe?(channel: string, listener?: Listener): Promise<unknown>;
  ping?(): Promise<unknown>;
  unref?(): void;
  destroy?(): unknown;
  disconnect?(): unknown;
  readonly stream?: { unref?(): void };
  readonly reconnectTimeout?: { unref?(): void } | null;
}

/**
 * Between two PINGs, which keep the connection in use; and how long the answer to one may take. A firewall that has
 * dropped an idle connection tells nobody. Milliseconds.
 */
const PING_INTERVAL = 30_000;
const PING_TIMEOUT = 10_000;

/**
 * A second connection of a client, for subscriptions. It is closed when this is unsubscribed, and errors when it has
 * ended. It never keeps a process alive where the client allows that.
 */
// Hand-made: it translates an event emitter that connects in its own time.
export const openDuplicate = (client: RedisClient, timers: Timers): Observable<SubscribeTo> =>
  new Observable((subscriber) => {
    const original = client as ClientState;
    const isCluster = typeof original.nodeClient === 'function';
    // A cluster of `redis` would connect to each master, although one node is enough for all pushes.
    const duplicate = original.duplicate?.(...(isCluster ? [{ minimizeConnections: true }] : [])) as Duplicate;
    const fail = (error: unknown) => {
      subscriber.error(error);
    };
    // Without a listener an 'error' would end the process. What it says, the client itself has said on its own.
    duplicate.on?.('error', () => undefined);
    duplicate.on?.('node-error', () => undefined);
    subscriber.add(() => {
      close(duplicate);
    });
    // A connection whose client has given up reconnecting.
    duplicate.on?.('end', () => {
      fail(new Error('the connection has ended'));
    });
    duplicate.on?.('terminated', fail);
    // It would wait for the node that it has subscribed on, dead or not: another one may have taken over.
    duplicate.on?.('node-reconnecting', () => {
      fail(new Error('the connection to the node is lost'));
    });
    subscriber.add(pings(duplicate, timers).subscribe({ error: fail }));
    const ready$ = new Subject<void>();
    duplicate.on?.('ready', () => {
      ready$.next();
    });
    if (isIoredis(client)) {
      duplicate.on?.('connect', () => duplicate.stream?.unref?.());
      duplicate.on?.('reconnecting', () => duplicate.reconnectTimeout?.unref?.());
      const message$ = new Subject<readonly unknown[]>();
      duplicate.on?.('message', (...message) => {
        message$.next(message);
      });
      let unconfirmed = 0;
      // A proxy that does not know SUBSCRIBE closes the connection. The client would send it again without a pause.
      duplicate.on?.('close', () => {
        if (unconfirmed > 0) fail(new Error('the connection was closed at SUBSCRIBE'));
      });
      const subscribe = (name: string) => {
        unconfirmed++;
        return duplicate.subscribe?.(name).finally(() => unconfirmed--);
      };
      subscriber.next((name) => ioredisChannel(duplicate, ready$, message$, name, subscribe));
      if (duplicate.status === 'wait') duplicate.connect?.().catch(() => undefined);
      return;
    }
    duplicate.unref?.();
    Promise.resolve(duplicate.connect?.()).then(() => {
      subscriber.next((name) => nodeRedisChannel(duplicate, ready$, name));
    }, fail);
  });

/** Errors when one is not answered; a refusal is an answer. A client that knows it is disconnected is not asked. */
const pings = (duplicate: Duplicate, timers: Timers): Observable<unknown> =>
  timers.after(PING_INTERVAL).pipe(
    switchMap(() => {
      // Clusters and sentinels would ask over another connection.
      const isSingle = duplicate.unref !== undefined || duplicate.stream !== undefined;
      if (!isSingle || isDown(duplicate as unknown as RedisClient)) return EMPTY;
      const pong = Promise.resolve(duplicate.ping?.()).catch(() => undefined);
      return race(pong, timers.after(PING_TIMEOUT).pipe(map(unanswered)));
    }),
    repeat(),
  );

const unanswered = () => {
  throw new Error('the connection does not answer');
};

const ioredisChannel = (
  duplicate: Duplicate,
  ready$: Observable<void>,
  message$: Observable<readonly unknown[]>,
  name: string,
  subscribeTo: (name: string) => Promise<unknown> | undefined,
): Observable<ChannelEvent> =>
  new Observable((subscriber) => {
    // Subscribing again is harmless, and right when the user has switched autoResubscribe off.
    const subscribe = () => {
      announce(subscriber, subscribeTo(name));
    };
    subscriber.add(
      message$.subscribe(([channel, text]) => {
        if (channel === name) subscriber.next({ type: 'message', text: String(text) });
      }),
    );
    subscriber.add(ready$.subscribe(subscribe));
    if (duplicate.status === 'ready') subscribe();
    return () => {
      ignoring(() => duplicate.unsubscribe?.(name));
    };
  });

const nodeRedisChannel = (duplicate: Duplicate, ready$: Observable<void>, name: string): Observable<ChannelEvent> =>
  new Observable((subscriber) => {
    const onMessage = (text: string) => {
      subscriber.next({ type: 'message', text });
    };
    let isSubscribed = false;
    // The client subscribes again by itself when it has reconnected.
    subscriber.add(
      ready$.subscribe(() => {
        if (isSubscribed) subscriber.next({ type: 'connected' });
      }),
    );
    const subscribing = Promise.resolve(duplicate.subscribe?.(name, onMessage)).then(() => {
      isSubscribed = true;
    });
    announce(subscriber, subscribing);
    return () => {
      ignoring(() => duplicate.unsubscribe?.(name, onMessage));
    };
  });

function announce(
  subscriber: { next(event: ChannelEvent): void; error(error: unknown): void },
  subscribing: Promise<unknown> | undefined,
): void {
  subscribing?.then(
    () => {
      subscriber.next({ type: 'connected' });
    },
    (error: unknown) => {
      subscriber.error(error);
    },
  );
}

/** At once, not after what is queued. */
const close = (duplicate: Duplicate): void => {
  ignoring(() => (duplicate.destroy ? duplicate.destroy() : duplicate.disconnect?.()));
};

/** What is called while a connection goes away may fail in any way: it was not open. */
function ignoring(call: () => unknown): void {
  try {
    Promise.resolve(call()).catch(() => undefined);
  } catch {
    // It was not open.
  }
}
