/** What is noted of each request, for the log and the metrics. */
import type { IncomingMessage } from 'node:http';
import type { Exchange } from '../traffic/exchange.js';
import { metric } from './metrics.js';
import type { ProxySettings } from '../options.js';
import { pathOf } from '../rules/target.js';

export interface RequestRecord {
  exchange?: Exchange;
  /** Why the proxy itself answers. */
  error?: string;
  /** To be called when the request has ended; only the first call counts. */
  readonly end: (status: number) => void;
}

export type Records = ReturnType<typeof createRecords>;

export function createRecords(log: ProxySettings['log']) {
  const byStatus = new Map<string, number>();
  let inFlight = 0;
  let seconds = 0;
  let repeats = 0;
  let onIdle: (() => void) | undefined;
  return {
    begin: ({ method = '', url = '' }: Pick<IncomingMessage, 'method' | 'url'>): RequestRecord => {
      const began = performance.now();
      let hasEnded = false;
      inFlight += 1;
      const record: RequestRecord = {
        end: (status) => {
          if (hasEnded) return;
          hasEnded = true;
          const took = performance.now() - began;
          const sent = record.exchange?.sent ?? 0;
          const label = `status="${String(status)}"`;
          byStatus.set(label, (byStatus.get(label) ?? 0) + 1);
          inFlight -= 1;
          seconds += took / 1000;
          repeats += Math.max(0, sent - 1);
          if (inFlight === 0) onIdle?.();
          const { error } = record;
          // Last, since it may throw: that is an uncaught exception, as of any listener.
          log?.({
            method,
            path: url.startsWith('/') ? pathOf(url) : '*',
            status,
            took,
            sent,
            ...(error !== undefined && { error }),
          });
        },
      };
      return record;
    },
    /** Resolves when no request is under way. */
    idle: () =>
      new Promise<void>((resolve) => {
        onIdle = resolve;
        if (inFlight === 0) resolve();
      }),
    metrics: () => [
      metric('counter', 'requests_total', 'Requests answered, by status.', byStatus),
      metric('gauge', 'requests_in_flight', 'Requests under way.', inFlight),
      metric('counter', 'request_seconds_total', 'Time spent on requests.', seconds),
      metric('counter', 'repeats_total', 'Requests sent upstream once more.', repeats),
    ],
  };
}
