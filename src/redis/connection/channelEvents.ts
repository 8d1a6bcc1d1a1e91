/** The channel for pushes: one connection per client, one subscription per channel. */
import {
  asyncScheduler,
  defer,
  distinctUntilChanged,
  EMPTY,
  finalize,
  map,
  merge,
  NEVER,
  of,
  ReplaySubject,
  retry,
  share,
  switchMap,
  tap,
  type Observable,
} from 'rxjs';
import { createTimers } from '../../internal/time/timers.js';
import { eventOf, isClosed, type ClientState, type RedisClient } from './client.js';
import { openDuplicate, type ChannelEvent, type SubscribeTo } from './openDuplicate.js';

/** Between attempts to open a connection that the client has given up, or to subscribe to a channel. Milliseconds. */
const RETRY = 1000;

const timers = createTimers(asyncScheduler);

/** What all channels of a client share: a connection; null while the client is closed. */
const connections = new WeakMap<RedisClient, Observable<SubscribeTo | null>>();

/**
 * What is said in the channel, on a second connection: one that subscribes can do nothing else. All channels of a
 * client share it; it is closed when the last of them is unsubscribed, and while the client itself is closed. It never
 * errors, and never keeps a process alive where the client allows that.
 */
export function channelEvents(client: RedisClient, name: string): Observable<ChannelEvent> {
  // A pool cannot be duplicated. Without pushes, a new token is found when the one at hand is due.
  if (typeof (client as ClientState).duplicate !== 'function') return EMPTY;
  const connection$ = connections.get(client) ?? shareConnection(client);
  return connection$.pipe(switchMap((subscribeTo) => subscribeTo?.(name) ?? NEVER));
}

function shareConnection(client: RedisClient): Observable<SubscribeTo | null> {
  const opened$ = openDuplicate(client, timers).pipe(retry({ delay: () => timers.after(RETRY) }), map(oncePerChannel));
  const connection$ = isOpen(client).pipe(
    switchMap((open) => (open ? opened$ : of(null))),
    share({ connector: () => new ReplaySubject(1) }),
  );
  connections.set(client, connection$);
  return connection$;
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

/** Whether the application wants the client to be connected: it may close it, and connect it again. */
const isOpen = (client: RedisClient): Observable<boolean> =>
  merge(
    defer(() => of(!isClosed(client))),
    ...['connect', 'ready'].map((name) => eventOf(client, name).pipe(map(() => true))),
    // A cluster of `redis` says `disconnect`.
    ...['end', 'disconnect'].map((name) => eventOf(client, name).pipe(map(() => false))),
  ).pipe(distinctUntilChanged());
