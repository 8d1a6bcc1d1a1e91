import { asyncScheduler, NEVER, of, Subject } from 'rxjs';
import { createTimers } from '../../src/internal/time/timers.js';
import { createChannel } from '../../src/tabs/channel.js';
import { createLockQueue } from '../../src/tabs/lockQueue.js';
import { formatMessage, parseMessage } from '../../src/tabs/message.js';
import { currentPage } from '../../src/tabs/page.js';
import { createSessionMarker, newSessionId } from '../../src/tabs/sessionMarker.js';
import { unthrottledTimer } from '../../src/tabs/unthrottledTimer.js';
import { closePages, fakeStorage, installLocks, showPage, uninstallLocks } from './tabs.js';
import { until } from '../until.js';

describe('a message', () => {
  const response = { access_token: 'T1', expires_in: 60 };
  const token = { type: 'token', session: 'S', response, age: 100 } as const;
  const posted = (change: object = {}) => ({ ...formatMessage(token, 1000), ...change });
  const ofSignOut = (change: object = {}) => ({
    version: 2,
    type: 'signOut',
    session: 'S',
    next: 'N',
    at: 0,
    ...change,
  });

  it.each<[string, object, object]>([
    ['a token, older by the time since', posted(), { ...token, age: 350 }],
    ['the last response', posted({ type: 'last' }), { ...token, type: 'last', age: 350 }],
    ['a token of a tab whose clock is ahead, no younger', posted({ at: 5000 }), token],
    ['a token that has just come', posted({ age: 0 }), { ...token, age: 250 }],
    ['a question', posted({ type: 'ask' }), { type: 'ask', session: 'S' }],
    ['a sign-out', ofSignOut(), { type: 'signOut', session: 'S', next: 'N' }],
    ['a sign-out before any session', ofSignOut({ session: null }), { type: 'signOut', session: null, next: 'N' }],
  ])('should be read: %s', (_what, data, expected) => {
    expect(parseMessage(data, 1250)).toEqual(expected);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a text', 'token'],
    ['an older version', posted({ version: 1 })],
    ['no session', posted({ session: null })],
    ['a question without a session', posted({ type: 'ask', session: 7 })],
    ['another type', posted({ type: 'steal' })],
    ['an error', posted({ response: { error: 'x' } })],
    ['a token that breaks the header', posted({ response: { access_token: 'E\nVIL' } })],
    ['no age', posted({ age: undefined })],
    ['an age that is a text', posted({ age: '1' })],
    ['an age below zero', posted({ age: -1 })],
    ['an age without end', posted({ age: Infinity })],
    ['no time', posted({ at: undefined })],
    ['a time that is none', posted({ at: NaN })],
    ['a sign-out without the next session', ofSignOut({ next: undefined })],
    ['a sign-out of no session', ofSignOut({ session: undefined })],
  ])('should be ignored: %s', (_what, data) => {
    expect(parseMessage(data, 1250)).toBeNull();
  });
});

describe('the marker of the session', () => {
  const blocked = () => {
    throw new DOMException('The operation is insecure.', 'SecurityError');
  };

  it('should be in localStorage', () => {
    const storage = fakeStorage();
    const [one, other] = [1, 2].map(() => createSessionMarker('key', { localStorage: () => storage as never }));
    one!.write('S');
    expect([storage.items.get('key'), other!.read(), one!.isShared()]).toEqual(['S', 'S', true]);
    storage.items.clear();
    expect(one!.read()).toBeNull();
  });

  it('should be of this tab alone where localStorage cannot be read, and stay so', () => {
    const storage = fakeStorage();
    let isBlocked = true;
    const marker = createSessionMarker('key', { localStorage: () => (isBlocked ? blocked() : (storage as never)) });
    expect([marker.read(), marker.isShared()]).toEqual([null, false]);
    marker.write('S');
    isBlocked = false;
    storage.items.set('key', 'of others');
    expect([marker.read(), marker.isShared()]).toEqual(['S', false]);
  });

  it('should be of this tab alone where localStorage is full, and no longer that of the others', () => {
    const storage = { ...fakeStorage(), setItem: blocked };
    storage.items.set('key', 'before');
    const marker = createSessionMarker('key', { localStorage: () => storage as never });
    marker.write('S');
    expect([marker.read(), marker.isShared(), storage.items.has('key')]).toEqual(['S', false, false]);
  });

  it('should be an id that cannot be guessed, of 32 hexadecimal digits', () => {
    const random = jest.spyOn(crypto, 'getRandomValues').mockImplementation((bytes) => {
      (bytes as unknown as Uint8Array).fill(10);
      return bytes;
    });
    expect(newSessionId()).toBe('0a'.repeat(16));
    random.mockRestore();
    expect(newSessionId()).not.toBe(newSessionId());
  });
});

describe('the channel of a tab', () => {
  class FakeChannel {
    static open: FakeChannel[] = [];
    static posted: unknown[] = [];
    onmessage?: (event: { data: unknown }) => void;
    constructor(readonly name: string) {
      FakeChannel.open.push(this);
    }
    postMessage(data: unknown) {
      FakeChannel.posted.push(data);
    }
    close() {
      FakeChannel.open.splice(FakeChannel.open.indexOf(this), 1);
    }
  }
  const native = globalThis.BroadcastChannel;
  const [hidden$, shown$] = [new Subject<Event>(), new Subject<Event>()];
  const create = () => createChannel('orders', { hidden$, shown$ } as never);
  beforeEach(() => {
    FakeChannel.open = [];
    FakeChannel.posted = [];
    globalThis.BroadcastChannel = FakeChannel as never;
  });
  afterEach(() => {
    globalThis.BroadcastChannel = native;
  });

  it('should be open while somebody listens and the page is shown', () => {
    const heard: unknown[] = [];
    const { posted$ } = create();
    const listening = posted$.subscribe((data) => heard.push(data));
    FakeChannel.open[0]?.onmessage?.({ data: 1 });
    hidden$.next(new Event('pagehide'));
    expect(FakeChannel.open).toEqual([]);
    shown$.next(new Event('pageshow'));
    FakeChannel.open[0]?.onmessage?.({ data: 2 });
    expect([heard, FakeChannel.open.length]).toEqual([[1, 2], 1]);
    listening.unsubscribe();
    shown$.next(new Event('pageshow'));
    expect(FakeChannel.open).toEqual([]);
  });

  it('should be that on which the tab posts, since a tab must not hear itself', () => {
    const { posted$, post } = create();
    const listening = posted$.subscribe();
    post({ a: 1 });
    expect([FakeChannel.posted, FakeChannel.open.length]).toEqual([[{ a: 1 }], 1]);
    listening.unsubscribe();
  });

  it('should be opened for one message when nobody listens', () => {
    create().post({ a: 1 });
    expect([FakeChannel.posted, FakeChannel.open]).toEqual([[{ a: 1 }], []]);
  });

  it('should be no fault where there is none', () => {
    Reflect.deleteProperty(globalThis, 'BroadcastChannel');
    const { posted$, post } = create();
    const onError = jest.fn();
    const listening = posted$.subscribe({ error: onError });
    expect(() => {
      post({ a: 1 });
    }).not.toThrow();
    expect(() => {
      listening.unsubscribe();
    }).not.toThrow();
    expect(onError).not.toHaveBeenCalled();
  });
});

describe('the queue for the lock', () => {
  const never = () => new Promise<never>(() => undefined);
  const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const signal = () => new AbortController().signal;
  let request: jest.Mock;
  beforeEach(() => {
    jest.useFakeTimers();
    request = jest.fn(never);
    installLocks({ request });
  });
  afterEach(() => {
    uninstallLocks();
    jest.useRealTimers();
  });
  const create = (opened$ = of(null) as never) =>
    createLockQueue('orders', { limit: 1000, opened$, timers: createTimers(asyncScheduler) });
  /** Whether the work has begun when so much time has passed. */
  const begunAfter = async (queue: ReturnType<typeof create>, ms: number, abandoned = signal()) => {
    const work = jest.fn(() => Promise.resolve('done'));
    queue.run(work, abandoned).catch(() => undefined);
    await jest.advanceTimersByTimeAsync(ms);
    return work.mock.calls.length > 0;
  };

  it('should do without the lock after the limit', async () => {
    expect(await begunAfter(create(), 999)).toBe(false);
    expect(await begunAfter(create(), 1000)).toBe(true);
    // And leave the queue, or its turn would come later.
    const [, options] = request.mock.lastCall as [string, { signal: AbortSignal }];
    expect(options.signal.aborted).toBe(true);
  });

  it('should count what an earlier attempt has waited, until a token comes', async () => {
    const queue = create();
    await jest.advanceTimersByTimeAsync(5000);
    const giveUp = async () => {
      const abandoned = new AbortController();
      expect(await begunAfter(queue, 600, abandoned.signal)).toBe(false);
      abandoned.abort();
      await jest.advanceTimersByTimeAsync(0);
    };
    await giveUp();
    expect(await begunAfter(queue, 399)).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    queue.reset();
    await giveUp();
    expect(await begunAfter(queue, 400)).toBe(true);
  });

  it('should not count the time of the work', async () => {
    const queue = create();
    request.mockImplementationOnce((_name: string, _options: unknown, begin: () => Promise<unknown>) => begin());
    const working = queue.run(() => later(900), signal());
    await jest.advanceTimersByTimeAsync(900);
    await working;
    expect(await begunAfter(queue, 999)).toBe(false);
  });

  it('should not wait for a page that is never opened where there are no Web Locks', async () => {
    installLocks(undefined);
    expect(await begunAfter(create(NEVER as never), 0)).toBe(true);
  });
});

describe('the page of a tab', () => {
  afterEach(closePages);

  it.each(['pageshow', 'resume', 'visibilitychange', 'storage'])('should look at its session after %s', (type) => {
    showPage(fakeStorage());
    const { window, document } = globalThis as unknown as Record<'window' | 'document', EventTarget>;
    let looks = 0;
    const looking = currentPage().returned$.subscribe(() => looks++);
    const target = type === 'pageshow' || type === 'storage' ? window : document;
    target.dispatchEvent(new Event(type));
    looking.unsubscribe();
    target.dispatchEvent(new Event(type));
    expect(looks).toBe(1);
  });

  it('should listen before the application does, which gets no token of a session that has ended', () => {
    showPage(fakeStorage());
    const { window } = globalThis as unknown as { window: EventTarget };
    const listen = jest.spyOn(window, 'addEventListener');
    currentPage().hidden$.subscribe().unsubscribe();
    expect(listen).toHaveBeenCalledWith('pagehide', expect.any(Function), { capture: true });
  });

  it.each(['window', 'document'])(
    'should have events, or the store says where it does not work: a %s without',
    (name) => {
      showPage(fakeStorage());
      Object.assign(globalThis, { [name]: {} });
      expect(currentPage).toThrow('Create the stream without a store there');
    },
  );
});

describe('the timer for hidden pages', () => {
  afterEach(closePages);

  it('should be an ordinary one in a page that is shown', () => {
    showPage(fakeStorage());
    const channel = jest.spyOn(globalThis, 'MessageChannel');
    unthrottledTimer(10).subscribe().unsubscribe();
    expect(channel).not.toHaveBeenCalled();
    channel.mockRestore();
  });

  it('should emit after its time, and send itself messages no longer', async () => {
    showPage(fakeStorage(), true);
    let clock = 0;
    const time = jest.spyOn(performance, 'now').mockImplementation(() => clock);
    const { port1, port2 } = new MessageChannel();
    const posted = jest.spyOn(port2, 'postMessage');
    const closed = jest.spyOn(port1, 'close');
    const channel = jest.spyOn(globalThis, 'MessageChannel').mockReturnValue({ port1, port2 });
    const onTime = jest.fn();
    const waiting = unthrottledTimer(50).subscribe(onTime);
    clock = 49;
    await until(() => posted.mock.calls.length > 3);
    expect(onTime).not.toHaveBeenCalled();
    clock = 50;
    await until(() => onTime.mock.calls.length > 0);
    waiting.unsubscribe();
    expect(closed).toHaveBeenCalledTimes(1);
    for (const spy of [time, channel]) spy.mockRestore();
  });
});
