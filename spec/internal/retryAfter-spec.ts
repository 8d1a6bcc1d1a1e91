import { parseRetryAfter } from '../../src/internal/retryAfter.js';

const NOW = Date.UTC(2026, 0, 1);

describe('parseRetryAfter', () => {
  it.each<[string | undefined, number | undefined]>([
    ['120', 120_000],
    ['0', 0],
    ['0.5', 500],
    [' 3 ', 3000],
    ['5, 10', 5000],
    ['1000000000000', 1e15],
    ['9'.repeat(400), Number.MAX_SAFE_INTEGER],
    ['-5', undefined],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 23:59:30 GMT', 0],
    ['Thursday, 01-Jan-26 00:00:30 GMT', 30_000],
    ['Infinity', undefined],
    ['soon', undefined],
    ['0x10', undefined],
    ['1e3', undefined],
    ['1_000', undefined],
    ['0b11', undefined],
    ['2026', 2_026_000],
    ['1 January 2027', undefined],
    ['', undefined],
    ['  ', undefined],
    [undefined, undefined],
  ])('should make of %p the wait %p', (header, wait) => {
    expect(parseRetryAfter(header, NOW)).toBe(wait);
  });
});
