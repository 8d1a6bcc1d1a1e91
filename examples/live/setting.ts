import type { TokenStreamOptions } from 'rx-fresh-token';
import type { ClientSettings } from '../demo/client.js';
import type { Settings } from '../demo/cli.js';
import type { LaneName } from './liveEvent.js';

/** The servers that a run plays on. */
export interface Setting {
  readonly intro: string;
  readonly settingsOf: (lane: LaneName) => ClientSettings;
  readonly options: TokenStreamOptions;
  /** Seconds that a token lives, where the command line says it. */
  readonly lifetime: number | undefined;
  /** The path that can be forbidden. */
  readonly path: string;
  close(): void;
}

export const TOKEN_LIFETIME = 10;
/**
 * `refreshBefore` is the outage of the token endpoint that one survives, less the margin and the time of two requests.
 * `exp` counts in whole seconds, so a token may end up to one second before `expires_in` says.
 */
export const STREAM = { refreshBefore: 4_000, expiryMargin: 1_000 } as const;
/** Milliseconds. Loopback alone is too quick to be seen. */
export const LATENCY = { token: 300, api: 60 };
/** Every so many records one goes to another path, so that one path can be forbidden and the other go on. */
const OTHER_PATH_EVERY = 4;

export async function findSetting(delivery: Settings): Promise<Setting> {
  if (delivery.mode === 'own') {
    const { client, lifetime } = delivery;
    return {
      intro: `Requests go to ${client.url.host}, with tokens of ${new URL(client.tokenEndpoint).host}.`,
      settingsOf: () => client,
      options: lifetime === undefined ? {} : { lifetime: () => lifetime * 1_000 },
      lifetime,
      path: client.url.pathname,
      close: () => undefined,
    };
  }
  // An authorization server takes a while to load.
  const { startServers } = await import('../demo/servers/servers.js');
  const clients: Record<LaneName, string> = { ours: 'fresh', theirs: 'status-quo' };
  const servers = await startServers({
    clients: Object.values(clients),
    tokenLifetime: TOKEN_LIFETIME,
    latency: LATENCY,
  });
  const path = '/invoices';
  return {
    intro: `Two clients send the same orders to an API whose tokens live ${TOKEN_LIFETIME} seconds. The library renews them ${STREAM.refreshBefore / 1_000} seconds before their end.`,
    settingsOf: (lane) => {
      const settings = servers.settingsOf(clients[lane]);
      const other = new URL(path, settings.url);
      return { ...settings, urlOf: ({ line }) => (line % OTHER_PATH_EVERY === 0 ? other : settings.url) };
    },
    options: STREAM,
    lifetime: undefined,
    path,
    close: () => servers.close(),
  };
}
