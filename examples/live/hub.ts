import type { ServerResponse } from 'node:http';
import { forget, NO_HISTORY, remember } from './history.js';
import type { LiveEvent, Snapshot } from './liveEvent.js';

export interface Hub {
  readonly publish: (event: LiveEvent) => void;
  /** Makes this response a stream of server-sent events: a snapshot, then every event. */
  connect(response: ServerResponse): void;
  close(): void;
}

/** A page that reads nothing for so many bytes is let go; it comes back by itself and gets a new snapshot. */
const BACKLOG = 1_000_000;
/** Between two cleanings, in events. */
const CLEAN_EVERY = 200;

export function createHub(now: () => number, setting: () => Omit<Snapshot, 'now' | 'counters' | 'events'>): Hub {
  const pages = new Set<ServerResponse>();
  let history = NO_HISTORY;
  let published = 0;
  const send = (page: ServerResponse, name: string, data: object): void => {
    if (page.writableLength > BACKLOG) page.destroy();
    else page.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  return {
    publish: (event) => {
      history = remember(history, event);
      published += 1;
      if (published % CLEAN_EVERY === 0) history = forget(history, now());
      for (const page of pages) send(page, 'happened', event);
    },
    connect: (page) => {
      page.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      page.write('retry: 1000\n\n');
      const snapshot: Snapshot = { ...setting(), ...forget(history, now()), now: now() };
      send(page, 'snapshot', snapshot);
      pages.add(page);
      page.on('close', () => pages.delete(page));
    },
    close: () => {
      for (const page of pages) page.end();
    },
  };
}
