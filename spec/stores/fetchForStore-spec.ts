import { asyncScheduler, of, Subject } from 'rxjs';
import type { TokenResponse } from 'rx-fresh-token';
import { createTimers } from '../../src/internal/time/timers.js';
import { fetchForStore } from '../../src/stores/fetchForStore.js';
import { isMarkedPermanent } from '../../src/answers/permanentError.js';

const fetched = (extra: object) =>
  fetchForStore(of({ access_token: 'T', ...extra } as TokenResponse), {
    abandoned: new AbortController().signal,
    timers: createTimers(asyncScheduler),
  });

describe('what a store fetches', () => {
  class Account {
    readonly id = 7;
    get name() {
      return `account ${String(this.id)}`;
    }
  }

  it.each<[string, object, object]>([
    ['a Date', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
    ['an undefined member', { scope: undefined }, {}],
    ['a function', { log: () => undefined }, {}],
    ['an object of a class', { account: new Account() }, { account: { id: 7 } }],
    ['a Map', { roles: new Map([['a', 1]]) }, { roles: {} }],
    ['no lifetime, by NaN', { expires_in: NaN }, { expires_in: null }],
  ])('should be for its own process what it is for the others, if it has %s', async (_what, given, read) => {
    const response = await fetched(given);
    expect(response).toStrictEqual({ access_token: 'T', ...read });
  });

  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const toJSON = () => {
    throw new Error('SECRET');
  };
  it.each<[string, object]>([
    ['a BigInt', { n: 5n }],
    ['a circle', { circle }],
    ['a toJSON that throws', { account: { toJSON } }],
    ['no token as JSON', { toJSON: () => ({ id: 7 }) }],
  ])('should fail at once, in words that quote nothing, if it has %s', async (_what, given) => {
    const failure: unknown = await fetched(given).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'ERR_INVALID_TOKEN_RESPONSE',
      message: expect.stringContaining('the token response cannot be stored') as unknown,
    });
    expect([isMarkedPermanent(failure), (failure as Error).cause]).toEqual([true, undefined]);
  });
});

describe('a fetch that does not end', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('should end at its time limit, which its error tells', async () => {
    const answer = new Subject<TokenResponse>();
    const timers = createTimers(asyncScheduler);
    const { signal: abandoned } = new AbortController();
    const settled = fetchForStore(answer, { limit: 200, abandoned, timers }).catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(199);
    expect(answer.observed).toBe(true);
    await jest.advanceTimersByTimeAsync(1);
    expect(answer.observed).toBe(false);
    expect(await settled).toMatchObject({
      code: 'ERR_TOKEN_FETCH_TIMEOUT',
      message: expect.stringContaining('within 200 ms') as string,
    });
  });
});

describe('a fetch that nobody waits for', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  const abandonedFetch = (isAbandonedBefore = false) => {
    const controller = new AbortController();
    if (isAbandonedBefore) controller.abort();
    const answer = new Subject<TokenResponse>();
    const settled = fetchForStore(answer, { abandoned: controller.signal, timers: createTimers(asyncScheduler) }).catch(
      (error: unknown) => error,
    );
    controller.abort();
    return { answer, settled };
  };

  it('should have as long as a `refreshToken` source has for its exchange', async () => {
    const { answer, settled } = abandonedFetch();
    await jest.advanceTimersByTimeAsync(5500);
    answer.next({ access_token: 'T', refresh_token: 'R2' });
    expect(await settled).toEqual({ access_token: 'T', refresh_token: 'R2' });
  });

  it.each([false, true])('should end after 6 s; left before it began: %s', async (isAbandonedBefore) => {
    const { answer, settled } = abandonedFetch(isAbandonedBefore);
    await jest.advanceTimersByTimeAsync(6000);
    expect(answer.observed).toBe(false);
    expect(await settled).toMatchObject({ code: 'ERR_TOKEN_FETCH_TIMEOUT' });
  });
});
