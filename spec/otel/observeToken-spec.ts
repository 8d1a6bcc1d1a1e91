import { DataPointType, MeterProvider, MetricReader, type DataPoint, type Histogram } from '@opentelemetry/sdk-metrics';
import { firstValueFrom, map, of, Subject, throwError, VirtualTimeScheduler, type Observable } from 'rxjs';
import {
  createTokenStream,
  takeToken,
  type TokenResponse,
  type TokenStore,
  type TokenStream,
  type TokenStreamOptions,
} from 'rx-fresh-token';
import { observeToken, type ObserveTokenOptions } from 'rx-fresh-token/otel';

class Reader extends MetricReader {
  protected override onForceFlush = () => Promise.resolve();
  protected override onShutdown = () => Promise.resolve();
}

const ignore = { error: () => undefined };
let reader: Reader;
let provider: MeterProvider;
beforeEach(() => {
  reader = new Reader();
  provider = new MeterProvider({ readers: [reader] });
});
afterEach(() => provider.shutdown());

/** What a dashboard would be told: `name {attributes} value`. Of a histogram the count and the sum. */
async function told(): Promise<string[]> {
  const { resourceMetrics, errors } = await reader.collect();
  expect(errors).toEqual([]);
  return resourceMetrics.scopeMetrics
    .flatMap(({ metrics }) => metrics)
    .flatMap(({ descriptor, dataPoints }) =>
      (dataPoints as DataPoint<number | Histogram>[]).map(({ attributes, value }) => {
        const number = typeof value === 'number' ? String(value) : `${String(value.count)} in ${String(value.sum)}`;
        return `${descriptor.name} ${JSON.stringify(attributes)} ${number}`;
      }),
    )
    .sort();
}

/** A stream whose clock stands still until it is moved. */
function setUp(answer: () => Observable<TokenResponse>, options: TokenStreamOptions = {}) {
  const clock = { time: 0 };
  const token$ = createTokenStream(answer, { now: () => clock.time, ...options });
  const measuring = observeToken(token$, { meter: provider.getMeter('spec'), name: 'api' });
  return { clock, token$, measuring };
}

it('should measure a refresh by its own end, whatever the store reports in the meantime', async () => {
  const answer = new Subject<TokenResponse>();
  const changes = new Subject<never>();
  const store: TokenStore = {
    changes,
    refresh: (_request, fetch) => fetch().pipe(map((response) => ({ response, age: 0, origin: 'shared' as const }))),
  };
  const { clock, token$ } = setUp(() => answer, { store });
  takeToken(token$).subscribe();
  changes.error(new Error('the connection is gone'));
  clock.time = 500;
  answer.next({ access_token: 'T1', expires_in: 60 });
  const durations = (await told()).filter((each) => each.startsWith('rx_fresh_token.refresh.duration'));
  expect(durations).toEqual([
    'rx_fresh_token.refresh.duration {"name":"api","reason":"initial","outcome":"shared"} 1 in 0.5',
  ]);
});

it('should not count a refresh that brought the same token as failed', async () => {
  const scheduler = new VirtualTimeScheduler(undefined, 3_600_000);
  const token$ = createTokenStream(() => of({ access_token: 'same', expires_in: 3600 }), {
    scheduler,
    idleTimeout: 5000,
  });
  observeToken(token$, { meter: provider.getMeter('spec'), name: 'api' });
  const types: string[] = [];
  token$.events.subscribe(({ type }) => types.push(type));
  const listening = token$.subscribe();
  scheduler.schedule(() => token$.refresh().subscribe(), 1000);
  scheduler.schedule(() => {
    listening.unsubscribe();
  }, 2000);
  scheduler.flush();
  expect(types).toContain('idle');
  expect((await told()).filter((each) => each.includes('"failed"'))).toEqual([]);
});

it('should measure a refresh that failed after everyone had left', async () => {
  const answer = new Subject<TokenResponse>();
  const { clock, token$ } = setUp(() => answer);
  takeToken(token$, { maxWait: 0 }).subscribe(ignore);
  await new Promise((resolve) => setTimeout(resolve, 5));
  clock.time = 500;
  answer.error(new Error('down'));
  const durations = (await told()).filter((each) => each.startsWith('rx_fresh_token.refresh.duration'));
  expect(durations).toEqual([
    'rx_fresh_token.refresh.duration {"name":"api","reason":"initial","outcome":"failed"} 1 in 0.5',
  ]);
});

it('should measure refreshes by reason and outcome, waits, and the life that is left', async () => {
  const answers = [new Subject<TokenResponse>(), new Subject<TokenResponse>()];
  let asked = 0;
  const { clock, token$ } = setUp(() => answers[asked++]!);
  expect(await told()).toEqual([]);
  for (let i = 0; i < 3; i++) takeToken(token$).subscribe();
  clock.time = 2000;
  answers[0]?.next({ access_token: 'T1', expires_in: 60 });
  token$.refresh().subscribe();
  clock.time = 2500;
  answers[1]?.next({ access_token: 'T2', expires_in: 60 });
  clock.time = 12_000;
  expect(await told()).toEqual([
    'rx_fresh_token.life_left {"name":"api"} 50',
    'rx_fresh_token.refresh.duration {"name":"api","reason":"initial","outcome":"fetched"} 1 in 2',
    'rx_fresh_token.refresh.duration {"name":"api","reason":"manual","outcome":"fetched"} 1 in 0.5',
    'rx_fresh_token.wait.duration {"name":"api","outcome":"token"} 2 in 2.5',
    'rx_fresh_token.waiters {"name":"api","outcome":"token"} 4',
  ]);
  clock.time = 70_000;
  expect((await told())[0]).toBe('rx_fresh_token.life_left {"name":"api"} 0');
  token$.close();
});

it('should tell durations below ten seconds apart, in the buckets of the semantic conventions', async () => {
  const { token$ } = setUp(() => of({ access_token: 'T1', expires_in: 60 }));
  takeToken(token$).subscribe();
  const { resourceMetrics } = await reader.collect();
  const histograms = resourceMetrics.scopeMetrics[0]!.metrics.filter(
    ({ dataPointType }) => dataPointType === DataPointType.HISTOGRAM,
  );
  expect(histograms.map(({ descriptor }) => descriptor.name)).toEqual([
    'rx_fresh_token.refresh.duration',
    'rx_fresh_token.wait.duration',
  ]);
  for (const { dataPoints } of histograms)
    expect((dataPoints[0]!.value as Histogram).buckets.boundaries).toEqual([
      0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
    ]);
  token$.close();
});

it('should count failures by permanence, and rejections by outcome', async () => {
  const failure = { status: 503 };
  const results: (() => Observable<TokenResponse>)[] = [
    () => of({ access_token: 'T1', expires_in: 60 }),
    () => throwError(() => Object.assign(new Error('no'), failure)),
  ];
  const { token$ } = setUp(() =>
    (results.shift() ?? (() => throwError(() => Object.assign(new Error('no'), { status: 400 }))))(),
  );
  const token = await firstValueFrom(takeToken(token$));
  token$.reject(token);
  token$.reject({ ...token, value: 'older', id: 'older', raw: { access_token: 'older' } });
  token$.signOut();
  await firstValueFrom(takeToken(token$)).catch(() => undefined);
  const lines = (await told()).filter((line) => /failures|rejections/.test(line));
  expect(lines).toEqual([
    'rx_fresh_token.failures {"name":"api","permanent":false} 1',
    'rx_fresh_token.failures {"name":"api","permanent":true} 1',
    'rx_fresh_token.rejections {"name":"api","outcome":"alreadyReplaced"} 1',
    'rx_fresh_token.rejections {"name":"api","outcome":"refreshing"} 1',
  ]);
  token$.close();
});

it('should measure nothing negative when the clock is set back meanwhile', async () => {
  const answers = [new Subject<TokenResponse>(), new Subject<TokenResponse>()];
  let asked = 0;
  const { clock, token$ } = setUp(() => answers[asked++]!);
  clock.time = 9000;
  takeToken(token$).subscribe(ignore);
  clock.time = 4000;
  answers[0]?.error(Object.assign(new Error('no'), { status: 400 }));
  takeToken(token$).subscribe(ignore);
  const durations = (await told()).filter((line) => line.includes('duration'));
  // While the clock is set back, the monotonic one counts: the milliseconds that this took.
  expect(durations.map((line) => line.replace(/ in 0\.0\d*$/, ' in 0'))).toEqual([
    'rx_fresh_token.refresh.duration {"name":"api","reason":"initial","outcome":"failed"} 1 in 0',
    'rx_fresh_token.wait.duration {"name":"api","outcome":"failed"} 1 in 0',
  ]);
  token$.close();
});

it('should say nothing of a life that nobody knows, and cause no fetch', async () => {
  const source = jest.fn(() => of({ access_token: 'opaque' }));
  const { token$ } = setUp(source);
  await told();
  expect(source).not.toHaveBeenCalled();
  await firstValueFrom(takeToken(token$));
  expect((await told()).filter((line) => line.includes('life_left'))).toEqual([]);
  token$.close();
});

it('should never tell which token it was', async () => {
  const { token$ } = setUp(() => of({ access_token: 'a-secret', expires_in: 60 }));
  const token = await firstValueFrom(takeToken(token$));
  token$.reject(token);
  const text = (await told()).join();
  expect(text).not.toContain('a-secret');
  expect(text).not.toContain(token.id);
  token$.close();
});

it('should end with its subscription, and with the stream', async () => {
  const one = setUp(() => of({ access_token: 'T1', expires_in: 60 }));
  one.measuring.unsubscribe();
  await firstValueFrom(takeToken(one.token$));
  one.token$.close();
  const other = setUp(() => of({ access_token: 'T1', expires_in: 60 }));
  other.token$.close();
  expect(other.measuring.closed).toBe(true);
  expect(setUpClosed().closed).toBe(true);
  expect((await told()).filter((line) => !line.includes('duration'))).toEqual([]);
});

function setUpClosed() {
  const token$ = createTokenStream(() => of({ access_token: 'T1' }));
  token$.close();
  return observeToken(token$, { meter: provider.getMeter('spec'), name: 'closed' });
}

it('should name what is wrong at creation', () => {
  const token$ = createTokenStream(() => of({ access_token: 'T1' }));
  const meter = provider.getMeter('spec');
  const observe = (stream: unknown, options: unknown) => () =>
    observeToken(stream as TokenStream, options as ObserveTokenOptions);
  expect(observe(of(1), { meter, name: 'api' })).toThrow('createTokenStream');
  for (const options of [undefined, null, 'api']) expect(observe(token$, options)).toThrow('options must be an object');
  for (const wrong of [undefined, null, {}, 'meter'])
    expect(observe(token$, { meter: wrong, name: 'api' })).toThrow('"meter"');
  for (const wrong of [undefined, null, '', 7]) expect(observe(token$, { meter, name: wrong })).toThrow('"name"');
  expect(observe(token$, { meter, name: 'api', attributes: {} })).toThrow('unknown option "attributes"');
  takeToken(token$).subscribe(ignore);
  token$.close();
});
