import type { Candidate } from '../../bench/compare/candidate.js';
import { freshClient } from '../../bench/compare/freshClient.js';
import { handWritten } from '../../bench/compare/handWritten.js';
import { measure, type Outcome } from '../../bench/compare/measure.js';
import { WARM_UP, type Scenario } from '../../bench/compare/scenarios.js';
import { table } from '../../bench/compare/table.js';

// Short forms of the scenarios of `npm run compare`. Only what no busy machine changes is asserted.

const HOUR = 3_600_000;

const SHORT = {
  rollover: { server: { lifetime: 2_000, refuseWith: 401 }, rates: { '/orders': 20 }, duration: 2_500 },
  revocation: {
    server: { lifetime: HOUR, refuseWith: 403 },
    rates: { '/orders': 20 },
    duration: 700,
    steps: [{ at: 300, act: (server) => server.revokeAll() }],
  },
  outage: {
    server: { lifetime: 2_000, refuseWith: 401 },
    rates: { '/orders': 20 },
    duration: 2_400,
    steps: [
      { at: 0, act: (server) => server.setOutage(true) },
      { at: 2_500, act: (server) => server.setOutage(false) },
    ],
  },
  forbidden: {
    server: { lifetime: HOUR, refuseWith: 403 },
    rates: { '/orders': 20, '/forbidden': 10 },
    duration: 600,
  },
  coldStart: { server: { lifetime: HOUR, refuseWith: 401 }, rates: {}, burst: 50, duration: 0 },
} satisfies Record<string, Omit<Scenario, 'name'>>;

type Outcomes = Record<keyof typeof SHORT, Outcome>;

const outcomesOf = async (candidate: Candidate): Promise<Outcomes> =>
  Object.fromEntries(
    await Promise.all(
      Object.entries(SHORT).map(async ([name, scenario]) => [name, await measure(candidate, { name, ...scenario })]),
    ),
  ) as Outcomes;

describe('the comparison', () => {
  let fresh: Outcomes;
  let written: Outcomes;

  beforeAll(async () => {
    // The first requests of a process are slow: they must not be the whole of a short scenario.
    for (const candidate of [freshClient, handWritten]) await measure(candidate, WARM_UP);
    [fresh, written] = await Promise.all([outcomesOf(freshClient), outcomesOf(handWritten)]);
  });

  it('should fetch a second token when the first has ended', () => {
    expect(fresh.rollover).toMatchObject({ errors: 0 });
    expect(fresh.rollover.tokens).toBeGreaterThan(1);
    expect(written.rollover.tokens).toBeGreaterThan(1);
  });

  it('should show a revocation on the wire, and the tokens that it costs', () => {
    expect(fresh.revocation).toMatchObject({ errors: 0 });
    expect(fresh.revocation.refused).toBeGreaterThan(0);
    expect(fresh.revocation.tokens).toBeGreaterThan(1);
    expect(written.revocation.refused).toBeGreaterThan(0);
  });

  it('should bring the callers over an outage', () => {
    expect(fresh.outage).toMatchObject({ errors: 0 });
    expect(fresh.outage.tokens).toBeGreaterThan(1);
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('no token'))],
    ['shows a refusal', () => Promise.resolve(401)],
  ])('should count an error when a package %s', async (_, get) => {
    const failing: Candidate = { name: 'failing', connect: () => ({ get }) };
    const scenario = { name: 'failing', ...SHORT.coldStart, rates: { '/forbidden': 20 }, duration: 100 };
    expect(await measure(failing, scenario)).toMatchObject({ refused: 0, errors: 50, tokens: 0 });
  });

  it('should count the tokens that a forbidden path costs', () => {
    expect(fresh.forbidden).toMatchObject({ errors: 0, tokens: 2 });
    expect(written.forbidden.tokens).toBeGreaterThan(2);
    expect(fresh.forbidden.refused).toBeGreaterThan(5);
  });

  it('should fetch one token for all at a cold start', () => {
    expect(fresh.coldStart).toMatchObject({ refused: 0, errors: 0, tokens: 1 });
    expect(written.coldStart).toMatchObject({ refused: 0, errors: 0, tokens: 1 });
    expect(fresh.coldStart.longestWait).toBeGreaterThan(50);
  });

  it('should print a row per package, and name a scenario once', () => {
    const outcome = { refused: 1, errors: 2, tokens: 3, longestWait: 4.4 };
    const rows = ['a', 'b'].map((name) => ({ scenario: 'rollover', package: name, ...outcome }));
    expect(table(rows).split('\n')).toEqual([
      '| scenario | package | refused | errors | tokens | longest wait |',
      '| -------- | ------- | ------: | -----: | -----: | -----------: |',
      '| rollover | a       |       1 |      2 |      3 |         4 ms |',
      '|          | b       |       1 |      2 |      3 |         4 ms |',
    ]);
  });
});
