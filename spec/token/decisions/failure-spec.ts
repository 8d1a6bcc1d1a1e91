import { isPermanentFailure } from '../../../src/answers/isPermanentFailure.js';
import { failureOf } from '../../../src/token/decisions/failure.js';

const NOW = Date.parse('2026-01-01T00:00:00Z');

describe('failureOf', () => {
  it('should not wait for the end of a rate limit where a wait does not help', () => {
    const settings = { isPermanent: isPermanentFailure, random: () => 0, userNow: () => NOW };
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '60' };
    const waitOf = (error: string) => failureOf({ status: 400, headers, error }, settings).retryAfter;
    expect([waitOf('invalid_grant'), waitOf('slow_down')]).toEqual([undefined, 60_000]);
  });
});
