import * as fc from 'fast-check';

export const DAY = 86_400_000;

export const maybe = <T>(arbitrary: fc.Arbitrary<T>, freq = 2) => fc.option(arbitrary, { nil: undefined, freq });
export const sometimes = (freq: number) => maybe(fc.constant<true>(true), freq);
export const weighted = <T>(...choices: readonly (readonly [weight: number, value: T])[]) =>
  fc.oneof(...choices.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })));

/** Undefined fields are left out: they would not survive being printed. */
export const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc
    .record<T>(fields)
    .map((made) => Object.fromEntries(Object.entries(made as object).filter(([, value]) => value !== undefined)) as T);

/** Times that fit tokens which live `scale` ms. */
export interface Times {
  /** One of these parts of the life of a token. */
  readonly part: (...parts: number[]) => fc.Arbitrary<number>;
  /** How long an answer takes that is not slow; null: it comes synchronously. */
  readonly quick: fc.Arbitrary<number | null>;
  readonly latency: fc.Arbitrary<number | null>;
}

export function timesOf(scale: number): Times {
  const part = (...parts: number[]) => fc.constantFrom(...new Set(parts.map((each) => Math.round(each * scale))));
  const quick = fc.oneof(
    { weight: 2, arbitrary: fc.constant(null) },
    { weight: 4, arbitrary: part(0, 0.001, 0.01, 0.05).map((ms) => Math.min(ms, 300)) },
  );
  const latency = fc.oneof(
    { weight: 6, arbitrary: quick },
    { weight: 1, arbitrary: part(0.3, 0.6, 1, 1.5).map((ms) => Math.min(ms, 20_000)) },
  );
  return { part, quick, latency };
}
