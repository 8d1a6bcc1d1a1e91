/** The public function `observeToken`: turns the events of a stream into OpenTelemetry metrics. */
import type { Meter } from '@opentelemetry/api';
import { Subscription } from 'rxjs';
import { refuseUnknown, requireObject, requireText, wrong } from '../internal/values/validate.js';
import type { TokenEvent } from '../token/events.js';
import { managerOf } from '../token/tokenStream.js';
import type { TokenStream } from '../token/types.js';

export interface ObserveTokenOptions {
  /** Where the metrics go: `metrics.getMeter('my-service')` of `@opentelemetry/api`. */
  meter: Meter;
  /**
   * The name of this stream, for the attribute `name`. Not empty. Use few names, and never the id of a user or a
   * session.
   */
  name: string;
}

/** A clock that is set back makes a duration negative. Histograms drop such a value. */
const seconds = (ms: number): number => Math.max(0, ms) / 1000;

const PREFIX = 'rx_fresh_token';

/** Of the semantic conventions for HTTP. By default an SDK has one bucket for all that takes less than 5 s. Seconds. */
const explicitBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/**
 * Measures a token stream: refreshes, failures, rejections, waits, and the time until the token expires. Measuring
 * fetches no token. No attribute identifies a token. docs/otel.md lists the metrics.
 *
 * ```ts
 * import { metrics } from '@opentelemetry/api';
 *
 * const measuring = observeToken(token$, { meter: metrics.getMeter('orders'), name: 'stock-api' });
 * ```
 *
 * @returns a Subscription. The measuring ends when you unsubscribe, or with `close()`.
 * @throws TypeError if `token$` was not made by `createTokenStream`, or names an option that is wrong
 */
export function observeToken(token$: TokenStream, options: ObserveTokenOptions): Subscription {
  const { waits$, userNow } = managerOf(token$);
  requireObject(options);
  refuseUnknown(options, { meter: true, name: true });
  const { meter, name } = options;
  if (typeof (meter as Partial<Meter> | null | undefined)?.createHistogram !== 'function')
    throw wrong('meter', meter, 'a Meter of @opentelemetry/api');
  requireText('name', name);
  const instruments = instrumentsOf(meter);
  const { waiters, wait, lifeLeft } = instruments;

  /**
   * Collectors keep the last value: before the first token there is none, nor is there one of a life that nobody knows.
   */
  let isKnown = false;
  const observeLife: Parameters<typeof lifeLeft.addCallback>[0] = (result) => {
    const { expiresAt } = token$.current ?? { expiresAt: -Infinity };
    isKnown ||= Number.isFinite(expiresAt);
    if (isKnown && expiresAt < Infinity) result.observe(seconds(expiresAt - userNow()), { name });
  };
  lifeLeft.addCallback(observeLife);
  const measuring = new Subscription(() => lifeLeft.removeCallback(observeLife));
  measuring.add(
    waits$.subscribe(({ waiters: count, longest, outcome }) => {
      waiters.add(count, { name, outcome });
      wait.record(seconds(longest), { name, outcome });
    }),
  );
  measuring.add(
    token$.events.subscribe({
      next: measureWith(instruments, name),
      complete: () => measuring.unsubscribe(),
    }),
  );
  return measuring;
}

/** Measures the events of one stream: a refresh begins with one event, and ends with another. */
function measureWith(
  { duration, failures, rejections }: ReturnType<typeof instrumentsOf>,
  name: string,
): (event: TokenEvent) => void {
  let asked: Extract<TokenEvent, { type: 'refreshStarted' }> | undefined;
  let failure: TokenEvent | undefined;

  /** The refresh has ended without a token. After a refresh that brought the same token there is no failure. */
  function endRefresh(): void {
    if (asked && failure)
      duration.record(seconds(failure.at - asked.at), { name, reason: asked.reason, outcome: 'failed' });
    asked = undefined;
  }

  return (event) => {
    if (event.type === 'refreshStarted') {
      asked = event;
      failure = undefined;
    }
    if (event.type === 'refreshFailed') {
      failure = event;
      failures.add(1, { name, permanent: event.permanent });
      // An error that ends no attempt, such as one of the store's `changes`, plans none either.
      if (event.permanent || event.retryIn !== null) endRefresh();
    }
    // After the last attempt, when nobody waits any more, or after a refresh that brought the same token.
    if (event.type === 'idle') endRefresh();
    if (event.type === 'signedOut') asked = undefined;
    if (event.type === 'tokenChanged') {
      // What others put into the store was not asked for here.
      if (asked || event.origin === 'fetched')
        duration.record(seconds(event.took), { name, reason: event.reason, outcome: event.origin });
      asked = undefined;
    }
    if (event.type === 'tokenRejected') rejections.add(1, { name, outcome: event.outcome });
  };
}

function instrumentsOf(meter: Meter) {
  const counter = (name: string, description: string) => meter.createCounter(`${PREFIX}.${name}`, { description });
  const histogram = (name: string, description: string) =>
    meter.createHistogram(`${PREFIX}.${name}.duration`, {
      unit: 's',
      description,
      advice: { explicitBucketBoundaries },
    });
  return {
    duration: histogram('refresh', 'How long a refresh took'),
    failures: counter('failures', 'Failures of the token source or store'),
    rejections: counter('rejections', 'Tokens that a server rejected'),
    waiters: counter('waiters', 'Requests that waited for a token'),
    wait: histogram('wait', 'The longest wait for one token'),
    lifeLeft: meter.createObservableGauge(`${PREFIX}.life_left`, {
      unit: 's',
      description: 'Until the token expires',
    }),
  };
}
