import { filter, firstValueFrom, map, NEVER, Subject, timer } from 'rxjs';
import type { TokenEvent, TokenResponse } from 'rx-fresh-token';
import { tabTokenStore } from 'rx-fresh-token/tabs';
import {
  closePages,
  closeTabs,
  fakeLocks,
  fakeStorage,
  installLocks,
  showPage,
  SESSION,
  tab,
  uninstallLocks,
  untilClosed,
} from './tabs.js';
import { until } from '../until.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const fetchCount = (...tabs: { asked: unknown[] }[]) => tabs.reduce((sum, { asked }) => sum + asked.length, 0);
const CHANNEL = 'rx-fresh-token/orders';

let locks: ReturnType<typeof fakeLocks>;
let storage: ReturnType<typeof fakeStorage>;
let stranger: BroadcastChannel;
let overheard: Record<string, unknown>[];
beforeEach(() => {
  installLocks((locks = fakeLocks()));
  showPage((storage = fakeStorage()));
  storage.setItem(CHANNEL, SESSION);
  stranger = new BroadcastChannel(CHANNEL);
  overheard = [];
  stranger.onmessage = (event) => overheard.push((event as MessageEvent<Record<string, unknown>>).data);
});
afterEach(() => {
  closeTabs();
  stranger.close();
  uninstallLocks();
  closePages();
});

describe('tabs that share a store', () => {
  it('should fetch one token for all who start at once', async () => {
    const tabs = Array.from({ length: 6 }, () =>
      tab({ source: () => timer(20).pipe(map(() => ({ access_token: 'T', expires_in: 60 }))) }),
    );
    const got = await Promise.all(tabs.map(({ token$ }) => firstValueFrom(token$)));
    expect(new Set(got.map(({ value }) => value))).toEqual(new Set(['T']));
    expect(fetchCount(...tabs)).toBe(1);
    expect(locks.held).toContain(CHANNEL);
  });

  it('should give a new tab the token that another has, at its true age and with all that came with it', async () => {
    const first = tab();
    const token = await firstValueFrom(first.token$);
    await pause(60);
    const second = tab();
    const events: TokenEvent[] = [];
    second.token$.events.subscribe((event) => events.push(event));
    const shared = await firstValueFrom(second.token$);
    expect(shared.value).toBe(token.value);
    expect(shared.raw.refresh_token).toBe('R');
    expect(second.asked).toEqual([]);
    expect(events.find(({ type }) => type === 'tokenChanged')).toMatchObject({ origin: 'shared' });
    // The same clock here: the age was not underestimated, so the life does not end later, but for what this busy process
    // takes between two turns.
    expect(shared.issuedAt).toBeLessThanOrEqual(token.issuedAt + 50);
    expect(shared.issuedAt).toBeGreaterThan(token.issuedAt - 3000);
  });

  it('should all hear of a renewal at once', async () => {
    const [first, second] = [tab(), tab()];
    first.token$.subscribe();
    second.token$.subscribe();
    await firstValueFrom(first.token$);
    await firstValueFrom(second.token$);
    const renewed = await firstValueFrom(first.token$.refresh());
    await until(() => second.token$.current?.value === renewed.value);
    expect(second.asked).toEqual([]);
  });

  it('should share a renewal that brings the same token again', async () => {
    const options = {
      source: () => timer(20).pipe(map(() => ({ access_token: 'SAME', expires_in: 4 }))),
      refreshBefore: 2000,
    };
    const tabs = [tab(options), tab(options), tab(options)];
    for (const { token$ } of tabs) {
      token$.subscribe();
      await firstValueFrom(token$);
    }
    await until(() => fetchCount(...tabs) > 1);
    await pause(1000);
    expect(fetchCount(...tabs)).toBe(2);
    for (const { token$ } of tabs) expect(token$.current!.expiresAt - Date.now()).toBeGreaterThan(2000);
  });

  it('should replace a token that was refused once for all, and not take it back from the others', async () => {
    const [first, second] = [tab(), tab()];
    const token = await firstValueFrom(first.token$);
    await firstValueFrom(second.token$);
    first.token$.reject(token);
    second.token$.reject(token);
    const [a, b] = await Promise.all([firstValueFrom(first.token$), firstValueFrom(second.token$)]);
    expect(a.value).not.toBe(token.value);
    expect(b.value).toBe(a.value);
    expect(fetchCount(first, second)).toBe(2);
  });

  it('should give a new tab the token that a server rejected, after the fetch of its replacement failed', async () => {
    let isDown = false;
    const source = () => {
      if (isDown) throw new Error('down');
      return [{ access_token: 'GOOD', expires_in: 3600 }];
    };
    const first = tab({ source });
    const token = await firstValueFrom(first.token$);
    isDown = true;
    const failed = firstValueFrom(first.token$.events.pipe(filter(({ type }) => type === 'refreshFailed')));
    first.token$.reject(token);
    await failed;
    expect((await firstValueFrom(tab({ source }).token$)).value).toBe('GOOD');
  });

  it('should give a new tab the token that a server rejected, if the source brings it again', async () => {
    const same = () => [{ access_token: 'same', expires_in: 3600 }];
    const first = tab({ source: same });
    const token = await firstValueFrom(first.token$);
    first.token$.reject(token);
    await until(() => first.asked.length === 2);
    const second = tab();
    expect([(await firstValueFrom(second.token$)).value, second.asked]).toEqual(['same', []]);
  });

  it('should not hand on a token that was refused, while another is being fetched', async () => {
    installLocks(undefined);
    const first = tab({
      source: ({ reason }) => (reason === 'rejected' ? NEVER : [{ access_token: 'BAD', expires_in: 3600 }]),
    });
    first.token$.reject(await firstValueFrom(first.token$));
    await until(() => first.asked.length === 2);
    expect((await firstValueFrom(tab().token$)).value).not.toBe('BAD');
  });

  it('should wait no longer than askTimeout for an answer', async () => {
    const lonely = tab({ askTimeout: 0 });
    await firstValueFrom(lonely.token$);
    expect(lonely.asked).toHaveLength(1);
    await until(() => overheard.some(({ type }) => type === 'ask'));
  });

  it('should leave the lock to the next when a fetch fails, and take what that one gets', async () => {
    const broken = tab({
      source: () => {
        throw new Error('no');
      },
      backoff: { initial: 60_000, max: 60_000 },
      random: () => 0.99,
    });
    const healed = firstValueFrom(broken.token$);
    const working = tab();
    const token = await firstValueFrom(working.token$);
    expect(broken.asked).toHaveLength(1);
    expect((await healed).value).toBe(token.value);
  });

  it('should leave the queue when the stream closes, and the lock soon after it closes in mid-fetch', async () => {
    const slow = tab({ source: () => NEVER });
    slow.token$.subscribe();
    await until(() => slow.asked.length === 1);
    const queued = tab();
    queued.token$.subscribe();
    await pause(10);
    queued.token$.close();
    const last = tab();
    const token = firstValueFrom(last.token$);
    await pause(10);
    expect(last.asked).toEqual([]);
    slow.token$.close();
    await token;
    expect([queued.asked.length, last.asked.length]).toEqual([0, 1]);
  });

  it.each(['closes', 'gives the fetch up'])(
    'should give the others the token of a fetch whose stream %s meanwhile',
    async (how) => {
      const answer = new Subject<TokenResponse>();
      const limit = { askTimeout: 0, fetchTimeout: 1000, backoff: { initial: 60_000, max: 60_000 } };
      const first = tab({ source: () => answer, ...(how !== 'closes' && limit) });
      const failed = jest.fn();
      first.token$.events.pipe(filter(({ type }) => type === 'refreshFailed')).subscribe(failed);
      first.token$.subscribe();
      await until(() => first.asked.length === 1);
      const second = tab();
      const got = firstValueFrom(second.token$);
      if (how === 'closes') first.token$.close();
      else await until(() => failed.mock.calls.length === 1);
      answer.next({ access_token: 'ROTATED', expires_in: 3600, refresh_token: 'R2' });
      expect((await got).value).toBe('ROTATED');
      expect(second.asked).toEqual([]);
    },
  );

  it('should keep names apart', async () => {
    const [orders, stock] = [tab(), tab({ name: 'stock' })];
    await Promise.all([firstValueFrom(orders.token$), firstValueFrom(stock.token$)]);
    expect(fetchCount(orders, stock)).toBe(2);
  });

  it('should leave it to the stream to judge a response that is none', async () => {
    const odd = tab({ source: () => [null as never], isPermanent: () => true });
    const failure: unknown = await firstValueFrom(odd.token$).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE', cause: { code: 'ERR_INVALID_TOKEN_RESPONSE' } });
  });

  it.each([
    ['is over', 0.2, 300],
    ['has little of its life left', 1, 930],
  ])('should hand the source of a new tab the last response, whose token %s', async (_what, expires_in, wait) => {
    const first = tab({
      source: () => [{ access_token: 'T1', expires_in, refresh_token: 'R1' }],
      idleTimeout: 0,
      expiryMargin: 0,
    });
    await firstValueFrom(first.token$);
    await pause(wait);
    const second = tab();
    await firstValueFrom(second.token$);
    expect(second.asked[0]?.last).toMatchObject({ refresh_token: 'R1' });
    expect(overheard.slice(0, 4).map(({ type }) => type)).toEqual(['ask', 'token', 'ask', 'last']);
  });

  it('should not hand on a token that is over by the option `lifetime` alone', async () => {
    const lifetime = () => 200;
    const first = tab({ source: () => [{ access_token: 'OLD' }], lifetime, idleTimeout: 0 });
    await firstValueFrom(first.token$);
    await pause(300);
    const second = tab({ source: () => [{ access_token: 'NEW' }], lifetime });
    expect((await firstValueFrom(second.token$)).value).toBe('NEW');
  });

  it('should neither keep nor hand on a token whose life the option `lifetime` fails to tell, but its refresh token', async () => {
    const lifetime = ({ access_token }: { access_token: string }) => Number(JSON.parse(access_token));
    const answers = ['opaque', '60000'];
    const source = () => [{ access_token: answers.shift() ?? '', refresh_token: 'R1' }];
    const [first, second] = [tab({ source, lifetime }), tab({ source, lifetime })];
    const [failed, ended] = [jest.fn(), jest.fn()];
    untilClosed(first.store.signedOut.subscribe({ error: failed }));
    untilClosed(second.token$.subscribe({ error: ended }));
    await until(() => ended.mock.calls.length === 1);
    await until(() => overheard.length > 0);
    expect((await firstValueFrom(first.token$)).value).toBe('60000');
    expect(first.asked[0]?.last).toMatchObject({ refresh_token: 'R1' });
    expect(failed).not.toHaveBeenCalled();
  });

  it('should refuse a response that JSON cannot hold, and leave the lock to the next', async () => {
    const first = tab({ source: () => [{ access_token: 'T', expires_in: 60, n: 5n }] });
    const failure: unknown = await firstValueFrom(first.token$).catch((error: unknown) => error);
    expect(failure).toMatchObject({ cause: { message: expect.stringContaining('cannot be stored') as unknown } });
    expect(first.asked).toHaveLength(1);
    expect((await firstValueFrom(tab().token$)).value).not.toBe('T');
  });

  it('should get the same response, as JSON holds it', async () => {
    const first = tab({ source: () => [{ access_token: 'T', at: new Date(0), log: () => undefined }] });
    const raw = { access_token: 'T', at: '1970-01-01T00:00:00.000Z' };
    expect((await firstValueFrom(first.token$)).raw).toStrictEqual(raw);
    expect((await firstValueFrom(tab().token$)).raw).toStrictEqual(raw);
  });
});

describe('a tab that stands still in mid-fetch', () => {
  const freeze = async () => {
    const frozen = tab({ source: () => NEVER, fetchTimeout: 1e9 });
    frozen.token$.subscribe();
    await until(() => frozen.asked.length === 1);
  };

  it('should bar the others no longer than lockTimeout, though their own timeout for one fetch ends before', async () => {
    await freeze();
    const began = performance.now();
    // The stream waits for a store twice as long as for a source before that fetches.
    const waiting = tab({ lockTimeout: 600, fetchTimeout: 250, backoff: { initial: 10 } });
    let failures = 0;
    untilClosed(waiting.token$.events.subscribe(({ type }) => (failures += type === 'refreshFailed' ? 1 : 0)));
    const last = tab({ lockTimeout: 60_000 });
    const [got, heard] = await Promise.all([firstValueFrom(waiting.token$), firstValueFrom(last.token$)]);
    expect(performance.now() - began).toBeGreaterThan(590);
    expect(heard.value).toBe(got.value);
    expect([waiting.asked.length, last.asked.length, failures]).toEqual([1, 0, 1]);
  });

  it('should be waited for again from the start, once a token came', async () => {
    await freeze();
    const waiting = tab({ lockTimeout: 400 });
    const began = performance.now();
    await firstValueFrom(waiting.token$);
    await firstValueFrom(waiting.token$.refresh());
    expect(performance.now() - began).toBeGreaterThan(790);
    expect(waiting.asked).toHaveLength(2);
  });

  it('should be left alone by who gives up', async () => {
    await freeze();
    const waiting = tab({ lockTimeout: 30 });
    waiting.token$.subscribe();
    waiting.token$.close();
    await pause(60);
    expect(waiting.asked).toEqual([]);
    expect(overheard.filter(({ type }) => type === 'ask')).toHaveLength(1);
  });
});

describe('a page that is prerendered', () => {
  it('should not wait for the lock, nor fetch, before the user opens it', async () => {
    const page = showPage(storage);
    page.prerender();
    const prerendered = tab({ lockTimeout: 30 });
    prerendered.token$.subscribe();
    await pause(80);
    expect([prerendered.asked.length, locks.held.length]).toEqual([0, 0]);
    page.open();
    await until(() => prerendered.asked.length === 1);
    expect(locks.held).toHaveLength(1);
  });

  it('should never fetch for a stream that was closed meanwhile', async () => {
    const page = showPage(storage);
    page.prerender();
    const prerendered = tab();
    prerendered.token$.subscribe();
    prerendered.token$.close();
    page.open();
    await pause(20);
    expect([prerendered.asked.length, locks.held.length]).toEqual([0, 0]);
  });
});

describe('what others post', () => {
  const evil = { version: 2, session: SESSION, type: 'token', response: { access_token: 'EVIL' }, age: 0 };

  it('should be taken over if it is a newer token', async () => {
    const { token$ } = tab({ askTimeout: 0 });
    await firstValueFrom(token$);
    stranger.postMessage({ ...evil, at: Date.now() });
    await until(() => token$.current?.value === 'EVIL');
  });

  it.each<[string, object | null]>([
    ['nothing', null],
    ['another version', { ...evil, version: 1 }],
    ['another session', { ...evil, session: 'session-2' }],
    ['a token that breaks the header', { ...evil, response: { access_token: 'E\nVIL' } }],
  ])('should be ignored if it is %s', async (_what, message) => {
    const { token$, asked } = tab({ askTimeout: 0 });
    const events: TokenEvent['type'][] = [];
    token$.subscribe();
    const token = await firstValueFrom(token$);
    token$.events.subscribe(({ type }) => events.push(type));
    stranger.postMessage(message && { ...message, at: Date.now() });
    await pause(10);
    expect(token$.current?.value).toBe(token.value);
    expect([events, asked.length]).toEqual([[], 1]);
  });

  it('should show its age if it lay in a frozen tab', async () => {
    const { token$ } = tab({ source: () => NEVER, askTimeout: 4000 });
    token$.subscribe();
    await pause(10);
    stranger.postMessage({
      version: 2,
      session: SESSION,
      type: 'token',
      response: { access_token: 'OLD', expires_in: 60 },
      age: 1000,
      at: Date.now() - 70_000,
    });
    stranger.postMessage({
      version: 2,
      session: SESSION,
      type: 'token',
      response: { access_token: 'NEW', expires_in: 60 },
      age: 1000,
      at: Date.now() - 20_000,
    });
    await until(() => token$.current?.value === 'NEW');
    expect(token$.current!.expiresAt - Date.now()).toBeLessThan(39_100);
  });

  it('should never be used as a token if it is but the last response', async () => {
    const { token$, asked } = tab({ source: () => NEVER, askTimeout: 50 });
    token$.subscribe();
    await pause(10);
    stranger.postMessage({
      version: 2,
      session: SESSION,
      type: 'last',
      response: { access_token: 'EVIL', refresh_token: 'R7' },
      age: 0,
      at: Date.now(),
    });
    await until(() => asked.length === 1);
    expect(token$.current).toBeNull();
    expect(asked[0]?.last).toMatchObject({ refresh_token: 'R7' });
  });

  it('should not bring back an older token', async () => {
    const { token$ } = tab();
    token$.subscribe();
    const token = await firstValueFrom(token$);
    stranger.postMessage({
      version: 2,
      session: SESSION,
      type: 'token',
      response: { access_token: 'OLD', expires_in: 3600 },
      age: 5000,
      at: Date.now(),
    });
    await pause(10);
    expect(token$.current?.value).toBe(token.value);
  });
});

describe('without', () => {
  it('Web Locks a tab should fetch for itself, and tell the others', async () => {
    installLocks(undefined);
    const [first, second] = [tab(), tab()];
    const token = await firstValueFrom(first.token$);
    expect((await firstValueFrom(second.token$)).value).toBe(token.value);
    expect(fetchCount(first, second)).toBe(1);
  });

  it.each([
    ['a rejection', () => Promise.reject(new DOMException('denied', 'SecurityError'))],
    [
      'an exception',
      () => {
        throw new DOMException('denied', 'SecurityError');
      },
    ],
    ['no method', undefined],
  ])('the right to use Web Locks too: %s', async (_what, request) => {
    installLocks({ request });
    const { token$, asked } = tab();
    await firstValueFrom(token$);
    expect(asked).toHaveLength(1);
  });

  it('BroadcastChannel it should fetch under the lock', async () => {
    const native = globalThis.BroadcastChannel;
    Reflect.deleteProperty(globalThis, 'BroadcastChannel');
    try {
      const { token$, store } = tab();
      await firstValueFrom(token$);
      store.signOut();
      expect(locks.held).toHaveLength(1);
    } finally {
      globalThis.BroadcastChannel = native;
    }
  });
});

describe('in a hidden page', () => {
  beforeEach(() => {
    showPage(storage, true);
  });

  it('should not count on timers while it has the lock', async () => {
    jest.useFakeTimers({ doNotFake: ['performance', 'queueMicrotask', 'nextTick', 'setImmediate', 'Date'] });
    try {
      const { token$, asked } = tab();
      await firstValueFrom(token$);
      expect(asked).toHaveLength(1);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('tabTokenStore', () => {
  it.each([
    [undefined, /options must be an object/],
    [null, /options must be an object/],
    [{ name: 'orders', lockTimeOut: 5 }, /unknown option "lockTimeOut"/],
    [{}, /"name" must be a string that is not empty, got undefined/],
    [{ name: '' }, /"name"/],
    [{ name: 'a', askTimeout: -1 }, /"askTimeout" must be a number, at least 0/],
    [{ name: 'a', askTimeout: Infinity }, /"askTimeout"/],
    [{ name: 'a', lockTimeout: -1 }, /"lockTimeout"/],
    [{ name: 'a', lifetime: 60 }, /"lifetime" must be a function/],
  ])('should refuse %j', (options, message) => {
    expect(() => tabTokenStore(options as never)).toThrow(TypeError);
    expect(() => tabTokenStore(options as never)).toThrow(message);
  });

  it('should touch nothing before it is used', () => {
    const channel = jest.spyOn(globalThis, 'BroadcastChannel');
    tabTokenStore({ name: 'orders' });
    expect(channel).not.toHaveBeenCalled();
    channel.mockRestore();
  });
});
