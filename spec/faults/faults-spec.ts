import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { faults, type Fault } from './faultyProxy.js';

const { FAULT_SECONDS: seconds = '5', FAULT_SEED: seed = '20261122' } = process.env;

interface Outcome {
  readonly counts: Readonly<Record<'calls' | 'delivered' | 'failed' | 'hung' | 'unexpected', number>>;
  readonly surprises: readonly string[];
  readonly duplicates: readonly string[];
  readonly faults: Readonly<Record<'tokens' | 'api', Readonly<Record<Fault, number>>>>;
  readonly recovery: { readonly ms: number; readonly attempts: number; readonly failures: number };
}

describe(`${seconds} s or more between faulty proxies, in front of the token endpoint and the API`, () => {
  let outcome: Outcome;
  beforeAll(
    async () => {
      const args = ['--unhandled-rejections=strict', '--import', 'tsx', 'spec/faults/faults.main.ts', seconds, seed];
      const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
        timeout: (Number(seconds) + 110) * 1000,
        env: { ...process.env, NODE_OPTIONS: '' },
      });
      expect(stderr).toBe('');
      outcome = JSON.parse(stdout) as Outcome;
    },
    (Number(seconds) + 120) * 1000,
  );

  it('should leave no call that hangs', () => {
    expect(outcome.counts.hung).toBe(0);
    expect(outcome.counts.delivered + outcome.counts.failed).toBe(outcome.counts.calls);
    expect(outcome.counts.delivered).toBeGreaterThan(20);
  });

  it('should fail in no other way than the client says', () => {
    expect(outcome.surprises).toEqual([]);
    expect(outcome.counts.unexpected).toBe(0);
  });

  it('should do nothing twice that the network did not do twice', () => {
    expect(outcome.duplicates).toEqual([]);
    expect(outcome.faults.api.duplicate).toBeGreaterThan(0);
  });

  it('should be over with the faults: after a token endpoint that was down, the next call waits for at most one pause', () => {
    const { ms, attempts, failures } = outcome.recovery;
    expect({ attempts, failures }).toEqual({ attempts: 1, failures: 0 });
    // One step of the backoff, and what a busy machine takes for a token and a call.
    expect(ms).toBeLessThan(250 + 1000);
  });

  it('should have met every fault on both servers, or this proves nothing', () => {
    for (const fault of faults) {
      expect(outcome.faults.api[fault]).toBeGreaterThan(0);
      expect(outcome.faults.tokens[fault]).toBeGreaterThan(0);
    }
  });
});
