import * as fc from 'fast-check';
import type { TokenSource, TokenStream, TokenStreamOptions } from 'rx-fresh-token';
import { createTokenPool } from 'rx-fresh-token/pool';
import { histories } from '../model/histories.js';
import type { History } from '../model/history.js';
import { run } from '../model/run.js';

/**
 * The stream of the only key of a pool, whose events are heard through the pool. With `wake` it would be kept whole.
 */
function mockStream(source: TokenSource, options: TokenStreamOptions): TokenStream {
  const pool = createTokenPool(() => source, { ...options, wake: undefined, store: undefined });
  return Object.create(pool.get('key'), { events: { value: pool.events } }) as TokenStream;
}

jest.mock('rx-fresh-token', () => ({
  ...jest.requireActual<object>('rx-fresh-token'),
  createTokenStream: (...given: Parameters<typeof mockStream>) => mockStream(...given),
}));

const { MODEL_RUNS = '400', MODEL_SEED = '20261122', MODEL_REPLAY } = process.env;

const usesWake = ({ steps, reactions }: History): boolean =>
  [...steps.map(([, act]) => act), ...reactions.map(({ act }) => act)].some((act) => act.do === 'wake');

function faultsIn(history: History, print?: (line: string) => void): readonly string[] {
  return usesWake(history) ? [] : run(history, print);
}

function report(history: History): string {
  const lines: string[] = [];
  const faults = faultsIn(history, (line) => lines.push(line));
  return [...faults, ...lines.slice(-60), `MODEL_REPLAY='${JSON.stringify(history)}'`].join('\n');
}

describe('a stream of a pool, whatever happens', () => {
  const { stackTraceLimit } = Error;
  beforeAll(() => {
    // Thousands of errors are made, and nobody reads where.
    Error.stackTraceLimit = 0;
  });
  afterAll(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  it('should keep the guarantees of a stream, though its manager ends whenever nobody uses it', () => {
    if (MODEL_REPLAY !== undefined) {
      const history = JSON.parse(MODEL_REPLAY) as History;
      if (faultsIn(history).length > 0) throw new Error(report(history));
      return;
    }
    const kept = fc.property(histories, (history) => faultsIn(history).length === 0);
    const { failed, counterexample, seed, numRuns } = fc.check(kept, {
      numRuns: Number(MODEL_RUNS),
      ...(MODEL_SEED !== 'random' && { seed: Number(MODEL_SEED) }),
    });
    if (failed)
      throw new Error(`${String(numRuns)} histories of ${String(seed)}, then:\n${report(counterexample![0])}`);
  }, 300_000);
});
