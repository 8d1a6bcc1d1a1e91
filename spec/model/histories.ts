import * as fc from 'fast-check';
import { DAY, maybe, record, timesOf, weighted } from './arbitraries.js';
import type { Action, History, Options, Reaction, Resource } from './history.js';
import { actionsOf } from './randomAction.js';
import { issuersOf } from './randomIssuer.js';

const scales = [50, 1_000, 5_000, 30_000, 30_000, 600_000, 3_600_000, 3_600_000, 40 * DAY];

const resource = record<Resource>({
  kind: weighted<Resource['kind']>(
    [6, 'ok'],
    [3, 'forbidden'],
    [3, 'unauthorized'],
    [1, 'rateLimited'],
    [2, 'lag'],
    [2, 'operations'],
    [1, 'broken'],
  ),
  says: weighted<Resource['says']>([3, '401'], [1, 'invalid_token'], [2, 'bare']),
  isKeyed: weighted([3, true], [1, false]),
});

function historiesOf(scale: number): fc.Arbitrary<History> {
  const times = timesOf(scale);
  const { part } = times;
  const act = actionsOf(times);
  const gap = fc.oneof(
    { weight: 2, arbitrary: part(0, 0, 0.001, 0.01, 0.1, 0.3, 0.5, 0.8, 5 / 6, 0.95, 1, 1.2, 3) },
    { weight: 2, arbitrary: fc.constantFrom(0, 1, 49, 50, 51, 250, 1000, 1600, 5000, 61_000, 130_000) },
  );
  // Nobody sets the clock from inside a callback.
  const jump = part(-3, -1, -0.5, -0.1, 0.1, 0.5, 0.84, 1, 3, 20).map((by): Action => ({ do: 'jump', by }));
  const step = fc.oneof({ weight: 10, arbitrary: act }, { weight: 1, arbitrary: jump });

  const budget = record<NonNullable<Options['rejectionBudget']>>({
    max: fc.nat(3),
    per: part(0.5, 1, 5).map((per) => Math.max(1, per)),
  });
  return record<History>({
    scale: fc.constant(scale),
    seed: fc.option(fc.nat(0xffff), { freq: 1 }),
    options: record<Options>({
      jitter: weighted([3, 0], [1, 0.2], [1, 1]),
      refreshBefore: maybe(part(0, 0.1, 0.5, 2), 5),
      expiryMargin: maybe(part(0, 0.1, ...(scale > 30_000 ? [] : [0.6, 1])), 5),
      idleTimeout: maybe(part(0, 0.1, 3), 5),
      fetchTimeout: maybe(
        part(0.1, 0.5).map((ms) => Math.max(1, ms)),
        3,
      ),
      maxWait: maybe(part(0, 0.1, 1), 4),
      rejectionBudget: maybe(budget, 4),
    }),
    issuer: issuersOf(scale, times),
    resources: fc.array(resource, { minLength: 1, maxLength: 3 }),
    steps: fc.array(fc.tuple(gap, step), { minLength: 1, maxLength: 6, size: 'max' }),
    reactions: fc.oneof(
      { weight: 3, arbitrary: fc.constant<Reaction[]>([]) },
      {
        weight: 1,
        arbitrary: fc.array(
          record<Reaction>({
            on: fc.constantFrom<Reaction['on'][]>(
              'value',
              'refreshStarted',
              'tokenChanged',
              'refreshFailed',
              'tokenRejected',
              'tokenExpired',
              'idle',
              'signedOut',
            ),
            nth: fc.nat(2),
            act,
          }),
          { minLength: 1, maxLength: 2 },
        ),
      },
    ),
  });
}

export const histories = fc.oneof(...scales.map(historiesOf));
