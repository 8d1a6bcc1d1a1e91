import { Observable, retry } from 'rxjs';
import type { Timers } from '../internal/timers.js';
import { isIoredis, type ClientState, type RedisClient } from './client.js';

/** `connected`, each time it is: messages may have been missed before; else a message. */
export type ChannelEvent = { readonly type: 'connected' } | { readonly type: 'message'; readonly text: string };

/** Between attempts to open a connection that the client has given up. Milliseconds. */
const REOPEN = 1000;

/** What is used of a duplicated connection. */
interface Subscriber extends ClientState {
  connect?(): Promise<unknown>;
  subscribe?(channel: string, listener?: (message: string, channel: string) => void): Promise<unknown>;
  unref?(): void;
  destroy?(): unknown;
  disconnect?(): unknown;
  readonly isCluster?: boolean;
  readonly stream?: { unref?(): void };
  readonly reconnectTimeout?: { unref?(): void } | null;
}

/**
 * What is said in the channel, on a connection of its own: one that subscribes can do nothing else. It never errs, and
 * never keeps a process alive where the client allows that; it ends with the client that it was duplicated from.
 */
export function channelEvents(client: RedisClient, channel: string, timers: Timers): Observable<ChannelEvent> {
  const state = client as ClientState;
  return new Observable<ChannelEvent>((subscriber) => {
    // A pool cannot be duplicated. Without pushes, a new token is found when the one at hand is due.
    if (typeof state.duplicate !== 'function') return;
    const ended = () => {
      subscriber.complete();
    };
    state.on?.('end', ended);
    subscriber.add(() => state.off?.('end', ended));
    subscriber.add(
      connection(client, channel)
        .pipe(retry({ delay: () => timers.after(REOPEN) }))
        .subscribe(subscriber),
    );
  });
}

// Hand-made: it translates an event emitter that connects in its own time.
const connection = (client: RedisClient, channel: string): Observable<ChannelEvent> =>
  new Observable((subscriber) => {
    const duplicated = (client as ClientState).duplicate?.() as Subscriber;
    const fail = (error: unknown) => {
      subscriber.error(error);
    };
    const connected = () => {
      subscriber.next({ type: 'connected' });
    };
    const heard = (text: string) => {
      subscriber.next({ type: 'message', text });
    };
    // Without a listener an 'error' would end the process. What it says, the client itself has said on its own.
    duplicated.on?.('error', () => undefined);
    duplicated.on?.('node-error', () => undefined);
    subscriber.add(() => {
      close(duplicated);
    });
    // A connection whose client has given up reconnecting.
    duplicated.on?.('end', () => {
      fail(new Error('the connection has ended'));
    });
    duplicated.on?.('terminated', fail);

    if (isIoredis(client)) {
      duplicated.on?.('message', (from, text) => {
        if (from === channel) heard(String(text));
      });
      duplicated.on?.('connect', () => duplicated.stream?.unref?.());
      duplicated.on?.('reconnecting', () => duplicated.reconnectTimeout?.unref?.());
      // Subscribing again is harmless, and right when the user has switched autoResubscribe off.
      duplicated.on?.('ready', () => {
        duplicated.subscribe?.(channel).then(connected, () => undefined);
      });
      if (duplicated.status === 'wait') duplicated.connect?.().catch(() => undefined);
      return;
    }

    let subscribed = false;
    duplicated.on?.('ready', () => {
      if (subscribed) connected();
    });
    duplicated.unref?.();
    Promise.resolve(duplicated.connect?.())
      .then(() => duplicated.subscribe?.(channel, heard))
      .then(() => {
        subscribed = true;
        connected();
      })
      .catch(fail);
  });

/** At once, not after what is queued. */
function close(duplicated: Subscriber): void {
  try {
    const closing: unknown = (duplicated.destroy ?? duplicated.disconnect)?.call(duplicated);
    Promise.resolve(closing).catch(() => undefined);
  } catch {
    // It was not open.
  }
}
