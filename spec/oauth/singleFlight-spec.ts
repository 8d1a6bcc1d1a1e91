import { singleFlight } from '../../src/oauth/signIn/singleFlight.js';

describe('one run for all callers', () => {
  it('should keep no timer when it is over', async () => {
    jest.useFakeTimers();
    const run = singleFlight((_signal, argument: string) => Promise.resolve(argument), 5000);
    const { signal } = new AbortController();
    expect(await Promise.all([run(signal, 'a'), run(signal, 'b')])).toEqual(['a', 'a']);
    expect(jest.getTimerCount()).toBe(0);
    expect(await run(signal, 'c')).toBe('c');
    jest.useRealTimers();
  });

  it('should not begin for a caller that has aborted, and keep nothing of it', async () => {
    const run = singleFlight((_signal, argument: string) => Promise.resolve(argument), 5000);
    await expect(run(AbortSignal.abort(new Error('gone')), 'a')).rejects.toThrow('gone');
    expect(await run(new AbortController().signal, 'b')).toBe('b');
  });
});
