import {
  asyncScheduler,
  defer,
  EMPTY,
  finalize,
  map,
  merge,
  Observable,
  of,
  ReplaySubject,
  retry,
  share,
  switchMap,
  takeUntil,
  tap,
} from 'rxjs';
import { createTimers } from '../internal/timers.js';
import type { ClientState, RedisClient } from './client.js';
import { openDuplicate, type ChannelEvent, type SubscribeTo } from './duplicate.js';

/** Between attempts to open a connection that the client has given up, or to subscribe to a channel. Milliseconds. */
const RETRY = 1000;

const timers = createTimers(asyncScheduler);

/** What all channels of a client share. */
interface Shared {
  readonly connection$: Observable<SubscribeTo>;
  /** The client itself has ended. */
  readonly ended$: Observable<void>;
}

const clients = new WeakMap<RedisClient, Shared>();

/**
 * What is said in the channel, on a second connection: one that subscribes can do nothing else. All channels of a client
 * share it; it is closed when the last of them is unsubscribed. It never errs, and never keeps a process alive where the
 * client allows that; it completes when the client that it was duplicated from ends.
 */
export function channelEvents(client: RedisClient, name: string): Observable<ChannelEvent> {
  // A pool cannot be duplicated. Without pushes, a new token is found when the one at hand is due.
  if (typeof (client as ClientState).duplicate !== 'function') return EMPTY;
  const { connection$, ended$ } = clients.get(client) ?? shareConnection(client);
  return connection$.pipe(
    switchMap((subscribeTo) => subscribeTo(name)),
    takeUntil(ended$),
  );
}

function shareConnection(client: RedisClient): Shared {
  const shared: Shared = {
    connection$: openDuplicate(client).pipe(
      retry({ delay: () => timers.after(RETRY) }),
      map(oncePerChannel),
      share({ connector: () => new ReplaySubject(1) }),
    ),
    ended$: endOf(client).pipe(share()),
  };
  clients.set(client, shared);
  return shared;
}

/** Stores with the same key share the subscription to its channel. */
function oncePerChannel(subscribeTo: SubscribeTo): SubscribeTo {
  const channels = new Map<string, Observable<ChannelEvent>>();
  const add = (name: string): Observable<ChannelEvent> => {
    let isConnected = false;
    const events$ = subscribeTo(name).pipe(
      // The client may have refused the command, or lost the connection.
      retry({ delay: () => timers.after(RETRY) }),
      tap(({ type }) => (isConnected ||= type === 'connected')),
      finalize(() => channels.delete(name)),
      share(),
    );
    // Who joins later has missed what was said before, like all others when the channel is connected.
    const channel$ = defer(() => (isConnected ? merge(of({ type: 'connected' } as const), events$) : events$));
    channels.set(name, channel$);
    return channel$;
  };
  return (name) => channels.get(name) ?? add(name);
}

const endOf = (client: RedisClient): Observable<void> =>
  new Observable((subscriber) => {
    const emitter = client as ClientState;
    const onEnd = () => {
      subscriber.next();
    };
    emitter.on?.('end', onEnd);
    return () => emitter.off?.('end', onEnd);
  });
