import type { Subscription } from 'rxjs';
import type { Client } from '../demo/client.js';
import { freshClient } from '../demo/freshClient.js';
import { StatusQuoClient } from '../demo/statusQuoClient.js';
import type { Faults } from './faults.js';
import type { LiveClock } from './liveClock.js';
import type { Lane, LaneEvent, LaneName } from './liveEvent.js';
import { askedFor, type Asked } from './asked.js';
import { ourEvent } from './ourEvents.js';
import type { Setting } from './setting.js';
import { watchTokens } from './theirTokens.js';
import { ourSocket, theirSocket, type SocketWatch } from './sockets.js';
import { tokenRegistry, type TokenRegistry } from './tokenRegistry.js';
import { watchedNetwork } from './watchedNetwork.js';

export const LANES: Readonly<Record<LaneName, Lane>> = {
  ours: { name: 'ours', title: 'rx-fresh-token', summary: 'renews its token before it ends' },
  theirs: { name: 'theirs', title: 'Status quo', summary: 'waits for a 403, gets a token, repeats' },
};

export interface WatchedClient {
  readonly registry: TokenRegistry;
  readonly client: Client;
  /** Opens the client's WebSocket, and keeps it open until it is unsubscribed. */
  readonly connect: (url: string) => Subscription;
}

interface Surroundings {
  readonly setting: Setting;
  readonly clock: LiveClock;
  readonly faults: Faults;
  readonly emit: (event: LaneEvent) => void;
}

/** The same client; `asked` knows of its requests. */
const noting = (client: Client, asked: Asked): Client => ({
  title: client.title,
  wire: client.wire,
  get tokensFetched() {
    return client.tokensFetched;
  },
  send: asked.noting(client.send),
  start: (stop) => client.start(stop),
  close: () => client.close(),
});

const silent = (): void => undefined;

/** The library's client, with the run's clock. */
export function ourClient({ setting, clock, faults, emit }: Surroundings): WatchedClient {
  const registry = tokenRegistry();
  const asked = askedFor();
  const network = watchedNetwork({ lane: 'ours', clock, faults, registry, emit, waited: asked.waited });
  const client = freshClient(setting.settingsOf('ours'), { ...setting.options, now: clock.now }, silent, network);
  client.token$.events.subscribe((event) => {
    const told = ourEvent(event, registry, clock.slept);
    if (told !== undefined) emit(told);
  });
  const watch: Omit<SocketWatch, 'url'> = { lane: 'ours', clock, registry, emit };
  return { registry, client: noting(client, asked), connect: (url) => ourSocket(client.token$, { ...watch, url }) };
}

/** The client that many services have today. */
export function theirClient({ setting, clock, faults, emit }: Surroundings): WatchedClient {
  const registry = tokenRegistry();
  const asked = askedFor();
  const { api, token } = watchedNetwork({ lane: 'theirs', clock, faults, registry, emit, waited: asked.waited });
  const watched = watchTokens(token, { clock, registry, emit, lifetime: setting.lifetime });
  const client = new StatusQuoClient(setting.settingsOf('theirs'), silent, { api, token: watched });
  const watch: Omit<SocketWatch, 'url'> = { lane: 'theirs', clock, registry, emit };
  return {
    registry,
    client: noting(client, asked),
    connect: (url) => theirSocket(() => client.current(), { ...watch, url }),
  };
}
