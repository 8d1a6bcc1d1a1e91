import { createTokenStream, takeToken, type TokenSource, type TokenStreamOptions } from 'rx-fresh-token';
import { tokenHealth } from '../../src/proxy/watch/tokenHealth.js';
import { atEnd, until } from './support.js';

const TOKEN = { access_token: 'a', expires_in: 3600 };
const DOWN = Object.assign(new Error('down'), { status: 503 });
const REFUSED = Object.assign(new Error('invalid_client'), { status: 401 });

/** A stream whose source does what `answers` says, the last of them again and again. */
function setUp(answers: (object | Error)[], options: TokenStreamOptions = {}) {
  let fetched = 0;
  const source: TokenSource = () => {
    const answer = answers[Math.min(fetched++, answers.length - 1)] ?? TOKEN;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer as typeof TOKEN);
  };
  const token$ = createTokenStream(source, { maxWait: 5_000, backoff: { initial: 0, max: 0 }, ...options });
  const health = tokenHealth(token$);
  atEnd(() => {
    health.stop();
    token$.close();
  });
  const ask = () => void takeToken(token$).subscribe({ error: () => undefined });
  /** As the health page. */
  const probe = () => {
    const isHealthy = health.isHealthy();
    if (!isHealthy) health.askForToken();
    return isHealthy;
  };
  return { token$, health, ask, probe, fetched: () => fetched };
}

describe('the health of the token', () => {
  it('should be good before a token was asked for, and cause no fetch', () => {
    const { health, fetched } = setUp([TOKEN]);
    expect([health.isHealthy(), fetched()]).toEqual([true, 0]);
  });

  it('should be bad until the first token is there', async () => {
    const { health, ask, token$ } = setUp([TOKEN]);
    ask();
    expect(health.isHealthy()).toBe(false);
    await until(() => token$.current !== null);
    expect(health.isHealthy()).toBe(true);
  });

  it.each([
    ['a failure', DOWN],
    ['a permanent failure', REFUSED],
  ])('should be good again after %s, though no client asks', async (_what, failure) => {
    const { probe, ask, token$, fetched } = setUp([failure, TOKEN], { maxWait: 0 });
    ask();
    await until(() => fetched() === 1);
    await until(probe);
    expect([token$.current?.value, fetched()]).toEqual(['a', 2]);
  });

  it('should cause one attempt at a time, and none in the pause after a permanent failure', async () => {
    const { health, ask, probe, fetched } = setUp([REFUSED], { backoff: { initial: 60_000 } });
    ask();
    await until(() => health.retryAfter() > 1);
    const probes = Array.from({ length: 20 }, probe);
    await new Promise((done) => setTimeout(done, 20));
    expect([probes.includes(true), fetched()]).toEqual([false, 1]);
  });

  it('should be good while tokens that expire on arrival come', async () => {
    const { health, ask, token$ } = setUp([{ access_token: 'a', expires_in: 0 }]);
    const failed = jest.fn();
    token$.events.subscribe(({ type }) => {
      if (type === 'refreshFailed') failed();
    });
    ask();
    await until(() => failed.mock.calls.length > 0);
    expect([token$.current, health.isHealthy()]).toEqual([null, true]);
  });

  it('should be bad after a fetch that failed when nobody waited any more', async () => {
    const { health, ask, token$, fetched } = setUp([TOKEN, DOWN], { idleTimeout: 0, maxWait: 0 });
    ask();
    await until(() => token$.current !== null);
    const failed = jest.fn();
    token$.events.subscribe((event) => {
      if (event.type === 'refreshFailed') failed(event.retryIn);
    });
    const refreshing = token$.refresh().subscribe({ error: () => undefined });
    refreshing.unsubscribe();
    await until(() => failed.mock.calls.length > 0);
    expect([failed.mock.calls, fetched()]).toEqual([[[null]], 2]);
    // The token is usable still.
    expect(health.isHealthy()).toBe(true);
    token$.close();
    expect(health.isHealthy()).toBe(false);
  });

  it('should be good after a sign-out, and begin no session', async () => {
    const { health, ask, probe, token$, fetched } = setUp([DOWN], { backoff: { initial: 60_000, max: 60_000 } });
    ask();
    await until(() => !health.isHealthy() && fetched() === 1);
    token$.signOut();
    expect([probe(), probe(), fetched()]).toEqual([true, true, 1]);
  });

  it('should leave no attempt behind when the proxy stops', async () => {
    const { health, ask, probe, fetched } = setUp([REFUSED, DOWN], { backoff: { initial: 50, max: 50 } });
    ask();
    await until(() => !probe() && fetched() > 2);
    health.stop();
    await new Promise((done) => setTimeout(done, 20));
    const before = fetched();
    await new Promise((done) => setTimeout(done, 200));
    expect(fetched()).toBe(before);
  });
});

describe('Retry-After', () => {
  it('should be half a minute after a permanent failure, and short again after another one', async () => {
    const { health, ask, fetched } = setUp([REFUSED, DOWN], { maxWait: 0 });
    ask();
    await until(() => health.retryAfter() === 30);
    await until(() => {
      ask();
      return fetched() > 1 && health.retryAfter() === 1;
    });
  });
});
