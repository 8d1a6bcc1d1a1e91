import type { TokenEvent, UntimedTokenEvent } from '../token/events.js';

const TOKEN_EVENTS = {
  refreshStarted: ['token_fetches_total', 'Token fetches begun.'],
  refreshFailed: ['token_fetch_failures_total', 'Token fetches failed.'],
  tokenRejected: ['token_rejections_total', 'Tokens rejected by the upstream server.'],
} as const satisfies Partial<Record<UntimedTokenEvent['type'], readonly [string, string]>>;

export type ProxyMetrics = ReturnType<typeof createMetrics>;

/** Counts what the proxy does. */
export function createMetrics() {
  const byStatus = new Map<number, number>();
  const events = new Map<string, number>();
  let inFlight = 0;
  let seconds = 0;
  let repeats = 0;

  const metric = (type: 'counter' | 'gauge', name: string, help: string, values: readonly string[]): string =>
    [`# HELP rx_fresh_token_${name} ${help}`, `# TYPE rx_fresh_token_${name} ${type}`]
      .concat(values.map((value) => `rx_fresh_token_${name}${value}`))
      .join('\n');

  const counters = (): string[] => [
    metric(
      'counter',
      'requests_total',
      'Requests answered, by status.',
      [...byStatus].sort(([a], [b]) => a - b).map(([status, count]) => `{status="${String(status)}"} ${String(count)}`),
    ),
    metric('gauge', 'requests_in_flight', 'Requests under way.', [` ${String(inFlight)}`]),
    metric('counter', 'request_seconds_total', 'Time spent on requests.', [` ${String(seconds)}`]),
    metric('counter', 'repeats_total', 'Requests sent upstream once more.', [` ${String(repeats)}`]),
    ...Object.entries(TOKEN_EVENTS).map(([type, [name, help]]) =>
      metric('counter', name, help, [` ${String(events.get(type) ?? 0)}`]),
    ),
  ];

  return {
    begun: () => {
      inFlight += 1;
    },
    ended: (status: number, took: number, sent: number) => {
      inFlight -= 1;
      seconds += took / 1000;
      repeats += Math.max(0, sent - 1);
      byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
    },
    /** Counts an event of the token stream. */
    count: ({ type }: TokenEvent) => {
      events.set(type, (events.get(type) ?? 0) + 1);
    },
    inFlight: () => inFlight,
    /** In Prometheus' text format, version 0.0.4. */
    text: (expiresAt: number | undefined) => {
      const all = counters();
      if (expiresAt !== undefined && Number.isFinite(expiresAt)) {
        const value = ` ${String(expiresAt / 1000)}`;
        all.push(metric('gauge', 'token_expires_seconds', 'When the token ends, in Unix time.', [value]));
      }
      return `${all.join('\n')}\n`;
    },
  };
}
