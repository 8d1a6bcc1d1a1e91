import { backoffStep } from '../../../src/token/decisions/backoff.js';

const backoff = { initial: 250, max: 5000, factor: 2 };

describe('backoffStep', () => {
  it.each([
    [1, 250],
    [2, 500],
    [3, 1000],
    [5, 4000],
    [6, 5000],
    [7, 5000],
    [5000, 5000],
  ])('should pause after failure %i for %i ms', (attempt, pause) => {
    expect(backoffStep(attempt, backoff)).toBe(pause);
  });

  it('should pause for the same time with a factor of 1, and for max where initial is more', () => {
    expect([1, 2, 50].map((attempt) => backoffStep(attempt, { ...backoff, factor: 1 }))).toEqual([250, 250, 250]);
    expect(backoffStep(1, { ...backoff, max: 100 })).toBe(100);
  });
});
