import * as fc from 'fast-check';
import { maybe, record, sometimes, weighted, type Times } from './arbitraries.js';
import type { Action, Call } from './history.js';

/** What a caller, a server or a user does. */
export function actionsOf({ part, latency }: Times): fc.Arbitrary<Action> {
  const leaveAfter = maybe(part(0, 0.01, 0.5, 1, 2, 5));

  const call = record<Call>({
    do: fc.constant('call'),
    to: fc.nat(3),
    latency,
    thrown: sometimes(2),
    row: sometimes(12),
    isForbidden: sometimes(2),
    maxWait: maybe(part(0, 0.1, 2), 6),
    leaveAfter: maybe(part(0, 0.001, 0.01, 0.1, 1), 8),
    times: maybe(fc.constantFrom(1, 3, 8), 3),
    every: fc.constantFrom(1, 100, 500, 1000, 5000, 20_000),
  }).map(({ every, ...made }): Call => (made.times === undefined ? made : { ...made, every: every! }));
  return fc.oneof<fc.WeightedArbitrary<Action>[]>(
    { weight: 10, arbitrary: call },
    {
      weight: 2,
      arbitrary: record<Extract<Action, { do: 'take' }>>({
        do: fc.constant('take'),
        maxWait: maybe(part(0, 0.1, 2), 2),
        leaveAfter,
      }),
    },
    {
      weight: 3,
      arbitrary: record<Extract<Action, { do: 'listen' }>>({
        do: fc.constant('listen'),
        once: sometimes(4),
        leaveAfter,
      }),
    },
    { weight: 2, arbitrary: record<Extract<Action, { do: 'refresh' }>>({ do: fc.constant('refresh'), leaveAfter }) },
    {
      weight: 2,
      arbitrary: record<Extract<Action, { do: 'reject' }>>({
        do: fc.constant('reject'),
        which: weighted([4, 'latest'], [1, 'oldest'], [1, 'foreign']),
      }),
    },
    { weight: 2, arbitrary: fc.constant<Action>({ do: 'revoke' }) },
    { weight: 1, arbitrary: fc.constant<Action>({ do: 'wake' }) },
    { weight: 1, arbitrary: fc.constant<Action>({ do: 'signOut' }) },
    { weight: 1, arbitrary: fc.constant<Action>({ do: 'close' }) },
  );
}
