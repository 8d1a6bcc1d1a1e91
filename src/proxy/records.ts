/** What is noted of each request, for the log and the metrics. */
import type { IncomingMessage } from 'node:http';
import type { Exchange } from './exchange.js';
import type { ProxyMetrics } from './metrics.js';
import type { ProxySettings } from './options.js';
import { pathOf } from './target.js';

/** One request, for the log and the metrics. */
export interface RequestRecord {
  exchange?: Exchange;
  /** Why the proxy itself answers. */
  error?: string;
  /** To be called when the request has ended; only the first call counts. */
  readonly end: (status: number) => void;
}

export type Records = ReturnType<typeof createRecords>;

export function createRecords(metrics: ProxyMetrics, log: ProxySettings['log']) {
  let onIdle: (() => void) | undefined;
  return {
    begin: ({ method = '', url = '' }: IncomingMessage): RequestRecord => {
      const began = performance.now();
      let hasEnded = false;
      metrics.begun();
      const record: RequestRecord = {
        end: (status) => {
          if (hasEnded) return;
          hasEnded = true;
          const took = performance.now() - began;
          const sent = record.exchange?.sent ?? 0;
          metrics.ended(status, took, sent);
          if (metrics.inFlight() === 0) onIdle?.();
          const { error } = record;
          // Last, since it may throw: that is an uncaught exception, as of any listener.
          log?.({ method, path: pathOf(url), status, took, sent, ...(error !== undefined && { error }) });
        },
      };
      return record;
    },
    /** Resolves when no request is under way. */
    idle: () =>
      new Promise<void>((resolve) => {
        onIdle = resolve;
        if (metrics.inFlight() === 0) resolve();
      }),
  };
}
