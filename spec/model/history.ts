import * as fc from 'fast-check';

/** One answer of the token endpoint. Times in ms; a latency of null answers synchronously. */
export interface TokenAnswer {
  readonly kind:
    'token' | 'same' | 'transient' | 'permanent' | 'hang' | 'throw' | 'empty' | 'invalid' | 'oauthError' | 'mistake';
  readonly latency: number | null;
  /** What `expires_in` says, in ms. Absent: the issuer's own life. */
  readonly lifetime?: number | 'nonsense' | 'none';
  /** The server asks to wait this long after a transient failure. */
  readonly retryAfter?: number;
}

/**
 * `static`: always the same token. `cached`: the same token until most of its life is over, with the life that is left.
 * `cachedJwt`: likewise, but only the claims say how long it lives.
 */
export interface Issuer {
  readonly kind: 'opaque' | 'jwt' | 'static' | 'cached' | 'cachedJwt';
  readonly latency: number | null;
  /** Each new token ends the ones before it, also those that are in flight. */
  readonly revokesOld?: true;
  /** The first answers; then `forever`, or the ordinary answer. */
  readonly first: readonly TokenAnswer[];
  readonly forever?: TokenAnswer;
}

/** A server that takes tokens. Each kind but `broken` rejects tokens that are revoked, and says so as `says` tells. */
export interface Resource {
  /** `lag`: rejects a token for 1.5 s after its issue. `operations`: one URL for everything; the call says whether it is forbidden. */
  readonly kind: 'ok' | 'forbidden' | 'unauthorized' | 'rateLimited' | 'lag' | 'operations' | 'broken';
  readonly says: '401' | 'invalid_token' | 'bare';
  readonly isKeyed: boolean;
}

export interface Call {
  readonly do: 'call';
  readonly to: number;
  readonly latency: number | null;
  /** What is not 200 comes as an error. */
  readonly thrown?: true;
  /** A value is delivered before the answer. */
  readonly row?: true;
  readonly isForbidden?: true;
  readonly maxWait?: number;
  readonly leaveAfter?: number;
  /** Sent this many times more, with `every` ms between. */
  readonly times?: number;
  readonly every?: number;
}

export type Action =
  | Call
  | { readonly do: 'take'; readonly maxWait?: number; readonly leaveAfter?: number }
  | { readonly do: 'listen'; readonly once?: true; readonly leaveAfter?: number }
  | { readonly do: 'refresh'; readonly leaveAfter?: number }
  | { readonly do: 'reject'; readonly which: 'latest' | 'oldest' | 'foreign' }
  | { readonly do: 'revoke' }
  | { readonly do: 'jump'; readonly by: number }
  | { readonly do: 'wake' }
  | { readonly do: 'signOut' }
  | { readonly do: 'close' };

/** An action that somebody takes from inside a callback of the stream: at the nth event of that type, or value of a listener. */
export interface Reaction {
  readonly on:
    | 'value'
    | 'refreshStarted'
    | 'tokenChanged'
    | 'refreshFailed'
    | 'tokenRejected'
    | 'tokenExpired'
    | 'idle'
    | 'signedOut';
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
  /** Of the random numbers that the stream is given; null: they are all 0.5. */
  readonly seed: number | null;
  readonly options: Options;
  readonly issuer: Issuer;
  readonly resources: readonly Resource[];
  readonly steps: readonly (readonly [after: number, act: Action])[];
  readonly reactions: readonly Reaction[];
}

const DAY = 86_400_000;
const scales = [50, 1_000, 5_000, 30_000, 30_000, 600_000, 3_600_000, 3_600_000, 40 * DAY];

const maybe = <T>(arbitrary: fc.Arbitrary<T>, freq = 2) => fc.option(arbitrary, { nil: undefined, freq });
const sometimes = (freq: number) => maybe(fc.constant<true>(true), freq);
const weighted = <T>(...choices: readonly (readonly [weight: number, value: T])[]) =>
  fc.oneof(...choices.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })));

/** Undefined fields are left out: they would not survive being printed. */
const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc
    .record<T>(fields)
    .map((made) => Object.fromEntries(Object.entries(made as object).filter(([, value]) => value !== undefined)) as T);

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
  const part = (...parts: number[]) => fc.constantFrom(...new Set(parts.map((each) => Math.round(each * scale))));
  const gap = fc.oneof(
    { weight: 2, arbitrary: part(0, 0, 0.001, 0.01, 0.1, 0.3, 0.5, 0.8, 5 / 6, 0.95, 1, 1.2, 3) },
    { weight: 2, arbitrary: fc.constantFrom(0, 1, 49, 50, 51, 250, 1000, 1600, 5000, 61_000, 130_000) },
  );
  const quick = fc.oneof(
    { weight: 2, arbitrary: fc.constant(null) },
    { weight: 4, arbitrary: part(0, 0.001, 0.01, 0.05).map((ms) => Math.min(ms, 300)) },
  );
  const latency = fc.oneof(
    { weight: 6, arbitrary: quick },
    { weight: 1, arbitrary: part(0.3, 0.6, 1, 1.5).map((ms) => Math.min(ms, 20_000)) },
  );
  const leaveAfter = maybe(part(0, 0.01, 0.5, 1, 2, 5));

  const answerOf = (kind: fc.Arbitrary<TokenAnswer['kind']>) =>
    record<TokenAnswer>({
      kind,
      latency,
      lifetime: fc.oneof(
        { weight: 6, arbitrary: part(1, 1, 0.5, 2) },
        {
          weight: 3,
          arbitrary: fc.constantFrom<TokenAnswer['lifetime'][]>(undefined, 'none', 0, -1000, 'nonsense', 1),
        },
      ),
      retryAfter: maybe(fc.oneof(part(0, 0.1, 1), fc.constantFrom(100, 2000, DAY)), 4),
    });
  const failure = weighted<TokenAnswer['kind']>(
    [4, 'transient'],
    [3, 'permanent'],
    [1, 'hang'],
    [1, 'throw'],
    [1, 'empty'],
    [1, 'invalid'],
    [1, 'oauthError'],
    [1, 'mistake'],
  );
  const issuer = record<Issuer>({
    // A source that hands out a token that is over is asked once a second: not for days.
    kind:
      scale > 600_000
        ? fc.constant('opaque' as const)
        : weighted<Issuer['kind']>([6, 'opaque'], [2, 'jwt'], [1, 'static'], [1, 'cached'], [1, 'cachedJwt']),
    latency: quick,
    revokesOld: sometimes(3),
    first: fc.array(
      answerOf(
        fc.oneof(
          { weight: 4, arbitrary: fc.constant<'token'>('token') },
          { weight: 1, arbitrary: fc.constant<'same'>('same') },
          { weight: 4, arbitrary: failure },
        ),
      ),
      { maxLength: 5 },
    ),
    // A server that is down is asked every few seconds: not for days.
    forever: scale > 30_000 ? fc.constant(undefined) : maybe(answerOf(failure), 5),
  });

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
  const act = fc.oneof<fc.WeightedArbitrary<Action>[]>(
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
    issuer,
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
