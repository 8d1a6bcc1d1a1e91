import { once } from 'node:events';
import { findInput } from '../demo/input.js';
import { openScreen, type Screen } from '../demo/screen.js';
import { orUsageError, UsageError } from '../demo/usageError.js';
import { createButtons } from './buttons.js';
import type { LiveSettings } from './cli.js';
import { deliverForEver, deliverOnce, deliverUnwritten, type UnwrittenColumn } from './deliveries.js';
import { createFaults } from './faults.js';
import { openFeed, type Feed } from './feed.js';
import { createHub } from './hub.js';
import { LANES, ourClient, theirClient, type WatchedClient } from './lanes.js';
import { liveClock } from './liveClock.js';
import { buildPage } from './pageFiles.js';
import { servePage } from './pageServer.js';
import { findSetting } from './setting.js';

/** Runs the clients and serves the page until it is stopped. */
export async function runLive({ port, compare, delivery }: LiveSettings, stop: AbortSignal): Promise<void> {
  const input = findInput(delivery.input);
  if (compare && input.path === null)
    throw new UsageError('two clients cannot read the same standard input: name a file');
  const screen = openScreen();
  const clock = liveClock();
  const faults = createFaults(clock);
  const [setting, files] = await Promise.all([findSetting(delivery), buildPage()]);

  const { path, intro } = setting;
  const lanes = compare ? [LANES.ours, LANES.theirs] : [LANES.ours];
  const hub = createHub(clock.now, () => ({
    intro,
    path,
    lanes,
    forbidden: faults.forbidden !== null,
    sockets: delivery.mode === 'embedded',
  }));
  const surroundings = { setting, clock, faults, emit: hub.publish };
  // Whatever fails from here on, what was started ends, or the process would not.
  const ending: (() => void)[] = [() => setting.close()];
  try {
    const ours = orUsageError(() => ourClient(surroundings));
    ending.push(() => ours.client.close());
    const theirs = compare ? theirClient(surroundings) : undefined;
    if (theirs) ending.push(() => theirs.client.close());
    const registries = { ours: ours.registry, ...(theirs && { theirs: theirs.registry }) };
    // Other people's servers have no WebSocket that is known here.
    let feed: Feed | undefined;
    if (delivery.mode === 'embedded') {
      feed = await openFeed((value) => ours.registry.find(value) ?? theirs?.registry.find(value), faults, clock);
      ending.push(() => feed?.close());
    }
    const buttons = createButtons({ clock, faults, registries, path, cut: () => feed?.cut() });
    const server = await servePage({ port, files, hub, buttons });
    ending.push(() => server.close());
    screen.print(`\n  The page is at ${server.url}\n  Ctrl-C ends the run.\n`);
    await Promise.all([ours.client.start(stop), theirs?.client.start(stop)]);
    for (const one of [ours, theirs]) {
      const connection = feed && one?.connect(feed.url);
      ending.unshift(() => connection?.unsubscribe());
    }
    const column = (of: WatchedClient): UnwrittenColumn => ({
      ...delivery,
      client: of.client,
      input,
      screen: quiet(screen),
      stop,
    });
    if (delivery.mode === 'embedded')
      await Promise.all([ours, ...(theirs ? [theirs] : [])].map((one) => deliverForEver(column(one))));
    else await Promise.all([deliverOnce(column(ours), delivery), theirs && deliverUnwritten(column(theirs))]);
    if (!stop.aborted) await once(stop, 'abort');
  } finally {
    for (const end of ending) end();
  }
}

/** The page shows how it goes; the terminal says what is wrong. */
const quiet = (screen: Screen): Screen => ({
  print: (text) => screen.print(text),
  say: () => undefined,
  warn: (line) => screen.warn(line),
  track: () => ({ advance: () => undefined }),
  settle: () => undefined,
});
