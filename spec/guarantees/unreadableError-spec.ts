/* eslint rxjs-x/throw-error: off -- sources throw what they like */
import { firstValueFrom, of, throwError } from 'rxjs';
import { createTokenStream, takeToken } from 'rx-fresh-token';
import { until } from '../until.js';

it('should tell of a failure whose message cannot be read', async () => {
  const error = Object.defineProperty(new RangeError(), 'message', {
    get: () => {
      throw new Error('no');
    },
  });
  // No other attempt comes before the wait has ended, however busy the machine is.
  const backoff = { initial: 60_000, max: 60_000 };
  const token$ = createTokenStream(() => throwError(() => error), { backoff, random: () => 0.99 });
  const messages: string[] = [];
  token$.events.subscribe((event) => {
    if (event.type === 'refreshFailed') messages.push(event.message);
  });
  takeToken(token$, { maxWait: 5 }).subscribe({ error: (error: unknown) => messages.push((error as Error).message) });
  await until(() => messages.length === 2);
  expect(messages).toEqual(['RangeError', expect.stringMatching(/: RangeError$/)]);
  token$.close();
});

it.each(['status', 'response', 'error', 'code', 'retryAfter', 'headers', 'xhr'])(
  'should ask again after a failure whose %s cannot be read',
  async (member) => {
    const failure = Object.defineProperty(new RangeError('broken'), member, {
      get: () => {
        throw new Error('no');
      },
    });
    let calls = 0;
    const token$ = createTokenStream(() => (++calls === 1 ? throwError(() => failure) : of({ access_token: 'T1' })), {
      backoff: { initial: 1 },
    });
    const failures: unknown[] = [];
    token$.events.subscribe((event) => {
      if (event.type === 'refreshFailed') failures.push(event.error === failure, event.permanent);
    });
    expect((await firstValueFrom(token$)).value).toBe('T1');
    expect(failures).toEqual([true, false]);
    token$.close();
  },
);
