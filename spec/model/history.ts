import * as fc from 'fast-check';

/** How the token endpoint behaves, one entry for each time it is asked. Times in ms; a latency of null answers synchronously. */
export interface Outcome {
  readonly kind: 'token' | 'same' | 'transient' | 'permanent' | 'hang' | 'throw' | 'empty' | 'invalid' | 'oauthError';
  readonly latency: number | null;
  /** What `expires_in` says, in ms. Absent: the response does not say. */
  readonly lifetime?: number | 'nonsense';
  /** The server asks to wait this long after a transient failure. */
  readonly retryAfter?: number;
}

export type Reply = 'ok' | 'server' | 'forbidden' | 'forbiddenOnce' | '401' | '401Once' | '403 invalid_token' | '500';

export type Action =
  | {
      readonly do: 'call';
      readonly reply: Reply;
      readonly thrown: boolean;
      readonly latency: number | null;
      readonly key?: string;
      readonly maxWait?: number;
      readonly leaveAfter?: number;
    }
  | { readonly do: 'listen'; readonly once?: boolean; readonly leaveAfter?: number }
  | { readonly do: 'refresh'; readonly leaveAfter?: number }
  | { readonly do: 'reject'; readonly which: 'latest' | 'oldest' | 'foreign' }
  | { readonly do: 'revoke' }
  | { readonly do: 'jump'; readonly by: number }
  | { readonly do: 'wake' }
  | { readonly do: 'close' };

/** An action that somebody takes from inside a callback of the stream: at the nth event of that type, or value of a listener. */
export interface Reaction {
  readonly on:
    'value' | 'refreshStarted' | 'tokenChanged' | 'refreshFailed' | 'tokenRejected' | 'tokenExpired' | 'idle';
  readonly nth: number;
  readonly act: Action;
}

export interface Options {
  readonly jitter: number;
  readonly refreshBefore?: number;
  readonly expiryMargin?: number;
  readonly idleTimeout?: number;
  readonly fetchTimeout?: number;
  readonly maxWait?: number;
  readonly rejectionBudget?: { readonly max: number; readonly per: number };
}

/** Plain data, so that a failure can be printed, and run again. */
export interface History {
  /** The life of an ordinary token, in ms: the other times are in proportion. */
  readonly scale: number;
  readonly seed: number;
  readonly options: Options;
  readonly outcomes: readonly Outcome[];
  readonly steps: readonly (readonly [after: number, act: Action])[];
  readonly reactions: readonly Reaction[];
}

const DAY = 86_400_000;
const scales = [50, 400, 1_000, 5_000, 30_000, 3_600_000, 40 * DAY, 60 * DAY];

const maybe = <T>(arbitrary: fc.Arbitrary<T>, freq = 2) => fc.option(arbitrary, { nil: undefined, freq });
const weighted = <T>(...choices: readonly (readonly [weight: number, value: T])[]) =>
  fc.oneof(...choices.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })));

/** Undefined fields are left out: they would not survive being printed. */
const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc
    .record<T>(fields)
    .map((made) => Object.fromEntries(Object.entries(made as object).filter(([, value]) => value !== undefined)) as T);

function historiesOf(scale: number): fc.Arbitrary<History> {
  const part = (...parts: number[]) => fc.constantFrom(...new Set(parts.map((each) => Math.round(each * scale))));
  const gap = fc.oneof(
    part(0, 0, 0.001, 0.01, 0.1, 0.3, 0.5, 0.8, 5 / 6, 0.95, 1, 1.2, 3),
    fc.constantFrom(0, 1, 49, 50, 51, 250, 1000),
  );
  // Not longer than the life of an ordinary token by much, or the history never ends.
  const latency = fc.oneof(
    { weight: 2, arbitrary: fc.constant(null) },
    { weight: 4, arbitrary: part(0, 0.001, 0.01, 0.05).map((ms) => Math.min(ms, 20_000)) },
    { weight: 2, arbitrary: part(0.3, 0.6, 1, 1.5).map((ms) => Math.min(ms, 20_000)) },
  );
  const leaveAfter = maybe(part(0, 0.01, 0.5, 1, 2, 5));

  const outcome = record<Outcome>({
    kind: weighted(
      [10, 'token'],
      [1, 'same'],
      [3, 'transient'],
      [2, 'permanent'],
      [1, 'hang'],
      [1, 'throw'],
      [1, 'empty'],
      [1, 'invalid'],
      [1, 'oauthError'],
    ),
    latency,
    lifetime: fc.oneof(
      { weight: 6, arbitrary: part(1, 1, 0.5, 2) },
      { weight: 2, arbitrary: fc.constantFrom<Outcome['lifetime'][]>(undefined, 0, -1000, 'nonsense', 1) },
    ),
    retryAfter: maybe(part(0, 0.1, 1), 4),
  });

  const call = record<Extract<Action, { do: 'call' }>>({
    do: fc.constant('call'),
    reply: weighted(
      [4, 'ok'],
      [3, 'server'],
      [2, 'forbidden'],
      [1, 'forbiddenOnce'],
      [2, '401'],
      [1, '401Once'],
      [1, '403 invalid_token'],
      [1, '500'],
    ),
    thrown: fc.boolean(),
    latency,
    key: maybe(fc.constantFrom('GET /a', 'GET /b'), 2),
    maxWait: maybe(part(0, 0.1, 2), 6),
    leaveAfter: maybe(part(0, 0.001, 0.01, 0.1, 1), 6),
  });
  const act = fc.oneof<fc.WeightedArbitrary<Action>[]>(
    { weight: 8, arbitrary: call },
    {
      weight: 3,
      arbitrary: record<Extract<Action, { do: 'listen' }>>({
        do: fc.constant('listen'),
        once: maybe(fc.constant(true), 4),
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
    { weight: 1, arbitrary: fc.constant<Action>({ do: 'revoke' }) },
    { weight: 1, arbitrary: fc.constant<Action>({ do: 'wake' }) },
    { weight: 1, arbitrary: fc.constant<Action>({ do: 'close' }) },
  );
  // Nobody sets the clock from inside a callback.
  const jump = part(-3, -1, -0.5, -0.1, 0.1, 0.5, 0.84, 1, 3, 20).map((by): Action => ({ do: 'jump', by }));

  const budget = record<NonNullable<Options['rejectionBudget']>>({
    max: fc.nat(3),
    per: part(0.5, 1, 5).map((per) => Math.max(1, per)),
  });
  return record<History>({
    scale: fc.constant(scale),
    seed: fc.nat(0xffff),
    options: record<Options>({
      jitter: weighted([3, 0], [1, 0.2], [1, 1]),
      refreshBefore: maybe(part(0, 0.1, 0.5, 2), 5),
      // A token whose life is all margin is asked for once a second: not for sixty days.
      expiryMargin: maybe(part(0, 0.1, 0.6, scale > 5000 ? 0.9 : 1), 5),
      idleTimeout: maybe(part(0, 0.1, 3), 5),
      fetchTimeout: maybe(part(0.1, 0.5), 3),
      maxWait: maybe(part(0, 0.1, 1), 3),
      rejectionBudget: maybe(budget, 2),
    }),
    outcomes: fc.array(outcome, { maxLength: 6 }),
    steps: fc.array(fc.tuple(gap, fc.oneof({ weight: 10, arbitrary: act }, { weight: 1, arbitrary: jump })), {
      minLength: 1,
      maxLength: 14,
      size: 'max',
    }),
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
