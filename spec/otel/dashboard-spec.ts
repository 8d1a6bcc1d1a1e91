import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { of } from 'rxjs';
import { createTokenStream } from 'rx-fresh-token';
import { observeToken } from 'rx-fresh-token/otel';

const dashboard = JSON.parse(readFileSync(join(__dirname, '../../docs/grafana.json'), 'utf8')) as {
  panels: { targets: { expr: string }[] }[];
};

/** As Prometheus exporters write the name of an instrument, without the parts of a histogram. */
const inPrometheus = (kind: string, name: string, unit = '') =>
  name.replaceAll('.', '_') + (unit === 's' ? '_seconds' : '') + (kind === 'createCounter' ? '_total' : '');

it('should have a panel for each metric, and ask for no other', () => {
  const named: string[] = [];
  const meter = new MeterProvider().getMeter('spec');
  for (const kind of ['createCounter', 'createHistogram', 'createObservableGauge'] as const) {
    const create = meter[kind].bind(meter) as (...args: [string, { unit?: string }?]) => never;
    meter[kind] = (name: string, options?: { unit?: string }) => {
      named.push(inPrometheus(kind, name, options?.unit));
      return create(name, options);
    };
  }
  const token$ = createTokenStream(() => of({ access_token: 'T' }));
  observeToken(token$, { meter, name: 'api' });
  token$.close();
  const asked = dashboard.panels
    .flatMap(({ targets }) => targets)
    .flatMap(({ expr }) => expr.match(/rx_fresh_token_\w+/g) ?? [])
    .map((name) => name.replace(/_(?:bucket|count)$/, ''));
  expect([...new Set(asked)].sort()).toEqual(named.sort());
});
