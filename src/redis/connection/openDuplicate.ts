/** A second connection of a client for pushes, for `redis` and `ioredis` alike. */
import {
  defer,
  EMPTY,
  filter,
  finalize,
  from,
  ignoreElements,
  map,
  merge,
  mergeMap,
  race,
  repeat,
  share,
  startWith,
  Subject,
  switchMap,
  type Observable,
} from 'rxjs';
import type { Timers } from '../../internal/time/timers.js';
import { eventOf, isDown, isIoredis, type ClientState, type RedisClient } from './client.js';

/** `connected`, each time the channel is: messages may have been missed before; else a message. */
export type ChannelEvent = { readonly type: 'connected' } | { readonly type: 'message'; readonly text: string };

/** Subscribes to a channel on an open connection. It errors when the client refuses, or loses the connection. */
export type SubscribeTo = (channel: string) => Observable<ChannelEvent>;

interface Closable extends ClientState {
  destroy?(): unknown;
  disconnect?(): unknown;
}

/** What is used of a duplicated connection. */
interface Duplicate extends Closable {
  connect?(): Promise<unknown>;
  subscribe(channel: string, listener?: (text: string) => void): Promise<unknown>;
  unsubscribe(channel: string, listener?: (text: string) => void): Promise<unknown>;
  ping?(): Promise<unknown>;
  unref?(): void;
  /** Of a cluster of `redis`: the connection that subscribes. */
  readonly pubSubNode?: { readonly client: Closable };
  readonly stream?: { unref?(): void };
  readonly reconnectTimeout?: { unref?(): void } | null;
}

/** Does nothing once the connection is closed. */
type Unsubscribe = (...given: Parameters<Duplicate['unsubscribe']>) => void;

/**
 * Between two PINGs, which keep the connection in use; and how long the answer to one may take. A firewall that has
 * dropped an idle connection tells nobody. Milliseconds.
 */
const PING_INTERVAL = 30_000;
const PING_TIMEOUT = 10_000;

const CONNECTED: ChannelEvent = { type: 'connected' };

/**
 * A second connection of a client, for subscriptions. It is closed when this is unsubscribed, and errors when it has
 * ended. It never keeps a process alive where the client allows that.
 */
export const openDuplicate = (client: RedisClient, timers: Timers): Observable<SubscribeTo> =>
  defer(() => {
    const original = client as ClientState;
    const isCluster = typeof original.nodeClient === 'function';
    // A cluster of `redis` would connect to each master, although one node is enough for all pushes.
    const duplicate = original.duplicate?.(...(isCluster ? [{ minimizeConnections: true }] : [])) as Duplicate;
    // Without a listener an 'error' would end the process. What it says, the client itself has said on its own.
    duplicate.on?.('error', () => undefined);
    duplicate.on?.('node-error', () => undefined);
    const ended$ = merge(
      // The client has given up reconnecting.
      eventOf(duplicate, 'end'),
      eventOf(duplicate, 'terminated'),
      // It would wait for the node that it has subscribed on, dead or not: another one may have taken over.
      eventOf(duplicate, 'node-reconnecting'),
    ).pipe(map(fail));
    let isClosed = false;
    // A closed sentinel of `redis` would open a connection to unsubscribe, and try to reach a dead node for ever.
    const unsubscribe: Unsubscribe = (...given) => {
      if (!isClosed) ignoring(() => duplicate.unsubscribe(...given));
    };
    const opened$ = (isIoredis(client) ? openIoredis : openNodeRedis)(duplicate, unsubscribe);
    return merge(ended$, pings(duplicate, timers), opened$).pipe(
      finalize(() => {
        isClosed = true;
        closeDuplicate(duplicate);
      }),
    );
  });

/** At once, not after what is queued. */
function closeDuplicate(duplicate: Duplicate): void {
  const close = (one: Closable) => ignoring(() => (one.destroy ? one.destroy() : one.disconnect?.()));
  // A client of `redis` that is closed while it connects, connects all the same, and 5 cannot be closed again then: it
  // is closed as soon as it has connected, or failed to. A cluster forgets the one that subscribes.
  const connecting = duplicate.pubSubNode?.client ?? duplicate;
  for (const event of ['connect', 'ready', 'reconnecting', 'error']) connecting.on?.(event, () => close(connecting));
  const isConnecting = duplicate.destroy && duplicate.unref && duplicate.isOpen && !duplicate.isReady;
  if (!isConnecting) close(duplicate);
}

function openIoredis(duplicate: Duplicate, unsubscribe: Unsubscribe): Observable<SubscribeTo> {
  const ready$ = eventOf(duplicate, 'ready').pipe(share());
  const message$ = eventOf(duplicate, 'message').pipe(share());
  duplicate.on?.('connect', () => duplicate.stream?.unref?.());
  duplicate.on?.('reconnecting', () => duplicate.reconnectTimeout?.unref?.());
  let unconfirmed = 0;
  const subscribe = (name: string) => {
    unconfirmed++;
    return duplicate.subscribe(name).finally(() => unconfirmed--);
  };
  const subscribeTo: SubscribeTo = (name) => {
    const messages$ = message$.pipe(
      filter(([channel]) => channel === name),
      map(([, text]) => ({ type: 'message' as const, text: String(text) })),
    );
    // Subscribing again is harmless, and right when the user has switched autoResubscribe off.
    const connected$ = defer(() => (duplicate.status === 'ready' ? ready$.pipe(startWith(null)) : ready$)).pipe(
      mergeMap(() => subscribe(name)),
      map(() => CONNECTED),
    );
    return merge(messages$, connected$).pipe(finalize(() => unsubscribe(name)));
  };
  // A proxy that does not know SUBSCRIBE closes the connection. The client would send it again without a pause.
  const refused$ = eventOf(duplicate, 'close').pipe(
    filter(() => unconfirmed > 0),
    map(fail),
  );
  if (duplicate.status === 'wait') ignoring(() => duplicate.connect?.());
  return refused$.pipe(startWith(subscribeTo));
}

function openNodeRedis(duplicate: Duplicate, unsubscribe: Unsubscribe): Observable<SubscribeTo> {
  const ready$ = eventOf(duplicate, 'ready').pipe(share());
  const subscribeTo: SubscribeTo = (name) => {
    const message$ = new Subject<ChannelEvent>();
    const listener = (text: string) => message$.next({ type: 'message', text });
    // The client subscribes again by itself when it has reconnected.
    const connected$ = defer(() => duplicate.subscribe(name, listener)).pipe(
      switchMap(() => ready$.pipe(startWith(null))),
      map(() => CONNECTED),
    );
    return merge(message$, connected$).pipe(finalize(() => unsubscribe(name, listener)));
  };
  duplicate.unref?.();
  return from(Promise.resolve(duplicate.connect?.())).pipe(map(() => subscribeTo));
}

/** Errors when one is not answered; a refusal is an answer. A client that knows it is disconnected is not asked. */
const pings = (duplicate: Duplicate, timers: Timers): Observable<never> =>
  timers.after(PING_INTERVAL).pipe(
    switchMap(() => {
      // Clusters and sentinels would ask over another connection.
      const isSingle = duplicate.unref !== undefined || duplicate.stream !== undefined;
      if (!isSingle || isDown(duplicate as unknown as RedisClient)) return EMPTY;
      const pong = Promise.resolve(duplicate.ping?.()).catch(() => undefined);
      return race(pong, timers.after(PING_TIMEOUT).pipe(map(fail)));
    }),
    repeat(),
    ignoreElements(),
  );

/** The connection is opened again, and nobody is told why. */
const fail = (): never => {
  throw new Error('the connection is lost');
};

/** What is called while a connection goes away may fail in any way: it was not open. */
function ignoring(call: () => unknown): void {
  try {
    Promise.resolve(call()).catch(() => undefined);
  } catch {
    // It was not open.
  }
}
