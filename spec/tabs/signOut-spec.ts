import { createTokenStream, isTokenError, type TokenResponse } from 'rx-fresh-token';
import { tabTokenStore } from 'rx-fresh-token/tabs';
import { firstValueFrom, Subject } from 'rxjs';
import {
  closePages,
  closeTabs,
  fakeLocks,
  fakeStorage,
  installLocks,
  refresh,
  showPage,
  tab,
  uninstallLocks,
  untilClosed,
} from './tabs.js';
import { until } from '../until.js';

const MARKER = 'rx-fresh-token/orders';
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

let storage: ReturnType<typeof fakeStorage>;
let stranger: BroadcastChannel;
let overheard: Record<string, unknown>[];
beforeEach(() => {
  installLocks(fakeLocks());
  showPage((storage = fakeStorage()));
  stranger = new BroadcastChannel(MARKER);
  overheard = [];
  stranger.onmessage = (event) => overheard.push((event as MessageEvent<Record<string, unknown>>).data);
});
afterEach(() => {
  closeTabs();
  stranger.close();
  uninstallLocks();
  closePages();
});

const response = (access_token: string): TokenResponse => ({
  access_token,
  refresh_token: `${access_token}-R`,
  expires_in: 3600,
});
const alice = () => [response('alice')];
const bob = () => [response('bob')];
const forbidden = (): never => {
  throw new Error('must not be asked');
};

/** A store in use, as a stream's is. */
const open = (askTimeout = 20) => tab({ askTimeout });
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'a token',
    (error: unknown) => error,
  );

describe('sign-out', () => {
  it('should end the session in all tabs, and leave every store usable', async () => {
    const tabs = [open(), open(), open()];
    await refresh(tabs[0]!.store, alice);
    for (const { store } of tabs) expect(await refresh(store, forbidden)).toBe('alice');
    tabs[1]!.store.signOut();
    await until(() => tabs.every(({ ended }) => ended.mock.calls.length > 0));
    await pause(20);
    expect(tabs.map(({ ended }) => ended.mock.calls.length)).toEqual([1, 1, 1]);
    const given: unknown[] = [];
    const next = await refresh(tabs[2]!.store, (last) => {
      given.push(last);
      return bob();
    });
    expect([next, given]).toEqual(['bob', [null]]);
    for (const { store } of tabs) expect(await refresh(store, forbidden)).toBe('bob');
  });

  it('should emit after the other tabs are told, so that a reaction at once starts the next session', async () => {
    const [first, second] = [open(), open()];
    await refresh(first.store, alice);
    const next = new Promise((resolve) => {
      const reaction = first.store.signedOut.subscribe(() => {
        resolve(refresh(first.store, bob));
      });
      untilClosed(reaction);
    });
    first.store.signOut();
    expect(await next).toBe('bob');
    await until(() => second.ended.mock.calls.length > 0);
    await pause(20);
    expect(second.ended).toHaveBeenCalledTimes(1);
    expect(await refresh(second.store, forbidden)).toBe('bob');
  });

  it('by one of two streams with one store object should end the session of both', async () => {
    const { token$, store } = open();
    const other$ = createTokenStream(() => [{ access_token: 'other', expires_in: 60 }], { store });
    await firstValueFrom(token$);
    await firstValueFrom(other$);
    other$.signOut();
    expect([token$.current, other$.current]).toEqual([null, null]);
    other$.close();
  });

  it('by the stream should be emitted once, so that a reaction at once starts the next session', async () => {
    const { token$, asked } = open();
    const first = await firstValueFrom(token$);
    const events: string[] = [];
    const next = new Promise((resolve) => {
      token$.events.subscribe(({ type }) => {
        events.push(type);
        if (type === 'signedOut') resolve(firstValueFrom(token$));
      });
    });
    token$.signOut();
    expect(await next).not.toEqual(first);
    expect(events).toEqual(['signedOut', 'refreshStarted', 'tokenChanged']);
    expect(asked).toHaveLength(2);
  });

  it('should reach tabs that have no token yet', async () => {
    const waiting = open();
    const other = open();
    other.store.signOut();
    await until(() => waiting.ended.mock.calls.length > 0);
    await pause(20);
    expect(waiting.ended).toHaveBeenCalledTimes(1);
  });

  it('should reach the others even from a store that no stream uses', async () => {
    const other = open();
    await refresh(other.store, alice);
    tabTokenStore({ name: 'orders' }).signOut();
    await until(() => other.ended.mock.calls.length > 0);
    await pause(20);
    expect(other.ended).toHaveBeenCalledTimes(1);
    expect(await refresh(other.store, bob)).toBe('bob');
  });

  it.each(['this tab', 'another tab'])('in %s should drop the token that is on its way', async (where) => {
    const [slow, other] = [open(), open()];
    const answer = new Subject<TokenResponse>();
    const late = failure(refresh(slow.store, () => answer));
    await pause(60);
    expect(answer.observed).toBe(true);
    (where === 'this tab' ? slow : other).store.signOut();
    await pause(20);
    answer.next(response('alice'));
    const error = await late;
    expect(isTokenError(error, 'ERR_TOKEN_STORE')).toBe(true);
    expect(String(error)).toContain('the session was ended while its token was refreshed');
    expect(overheard.filter(({ type }) => type === 'token')).toEqual([]);
    expect(await refresh(slow.store, bob)).toBe('bob');
  });

  it('that only the storage tells of should drop the token that is on its way', async () => {
    const { store } = open();
    const answer = new Subject<TokenResponse>();
    const late = failure(refresh(store, () => answer));
    await until(() => answer.observed);
    storage.setItem(MARKER, 'of Bob');
    answer.next(response('alice'));
    expect(isTokenError(await late, 'ERR_TOKEN_STORE')).toBe(true);
    await pause(20);
    expect(overheard.filter(({ type }) => type === 'token')).toEqual([]);
  });

  it('should free the lock of a fetch under way', async () => {
    const [slow, other] = [open(), open()];
    const answer = new Subject<TokenResponse>();
    const errors: unknown[] = [];
    void failure(refresh(slow.store, () => answer)).then((error) => errors.push(error));
    await until(() => answer.observed);
    slow.store.signOut();
    try {
      await until(() => errors.length === 1, 10_000);
      expect(isTokenError(errors[0], 'ERR_TOKEN_STORE')).toBe(true);
      expect(await refresh(other.store, bob)).toBe('bob');
    } finally {
      answer.complete();
    }
  });

  it('should fetch nothing for a refresh that began before it', async () => {
    const [holder, queued] = [open(), open()];
    const answer = new Subject<TokenResponse>();
    const first = failure(refresh(holder.store, () => answer));
    await pause(60);
    const second = failure(refresh(queued.store, forbidden));
    queued.store.signOut();
    await pause(20);
    answer.next(response('alice'));
    expect([await first, await second].map((error) => isTokenError(error, 'ERR_TOKEN_STORE'))).toEqual([true, true]);
  });
});

describe('a message', () => {
  const post = (session: string | null, message: object) => {
    stranger.postMessage({ version: 2, session, age: 0, at: Date.now(), ...message });
  };

  it('of another session should be dropped, though it be newer', async () => {
    const { store, ended } = open();
    const told: unknown[] = [];
    const listening = store.changes!.subscribe((token) => told.push(token));
    await refresh(store, bob);
    for (const type of ['token', 'last']) post('alice-s', { type, response: response('alice') });
    post('alice-s', { type: 'ask' });
    post('alice-s', { type: 'signOut', next: 'evil' });
    await pause(20);
    listening.unsubscribe();
    expect([told, await refresh(store, forbidden), ended.mock.calls.length]).toEqual([[], 'bob', 0]);
    expect(overheard.map(({ type }) => type)).toEqual(['ask', 'token']);
  });

  it('that tells of a sign-out before the marker does should write the marker', async () => {
    const { store, ended } = open();
    await refresh(store, alice);
    post(storage.getItem(MARKER), { type: 'signOut', next: 'session-2' });
    await until(() => ended.mock.calls.length > 0);
    await pause(20);
    expect([ended.mock.calls.length, storage.getItem(MARKER)]).toEqual([1, 'session-2']);
  });

  it('that tells late of a sign-out should not end the session that came after it', async () => {
    const { store, ended } = open();
    await refresh(store, alice);
    const first = storage.getItem(MARKER);
    store.signOut();
    await refresh(store, bob);
    const second = storage.getItem(MARKER);
    post(first, { type: 'signOut', next: 'session-2' });
    await until(() => ended.mock.calls.length > 0);
    await pause(20);
    expect([ended.mock.calls.length, storage.getItem(MARKER)]).toEqual([1, second]);
  });
});

describe('a tab that comes back', () => {
  /** Alice's tab leaves; she signs out in another one, and Bob signs in there. */
  const away = async (leave: (page: ReturnType<typeof showPage>) => void) => {
    const page = showPage(storage);
    const alices = open();
    await refresh(alices.store, alice);
    showPage(storage);
    const other = open();
    await refresh(other.store, forbidden);
    leave(page);
    other.store.signOut();
    return { page, alices, other };
  };

  it('should behave as signed out before anything else, and give Bob nothing of Alice', async () => {
    const { page, alices, other } = await away(({ leave }) => leave());
    const story: string[] = [];
    untilClosed(alices.store.signedOut.subscribe(() => story.push('signed out')));
    untilClosed(alices.store.changes!.subscribe(({ response: { access_token } }) => story.push(access_token)));
    page.comeBack();
    expect(story).toEqual(['signed out']);
    const handed: unknown[] = [];
    await refresh(other.store, (last) => {
      handed.push(last);
      return bob();
    });
    expect(handed).toEqual([null]);
    await pause(20);
    expect(JSON.stringify(overheard.slice(overheard.findIndex(({ type }) => type === 'signOut')))).not.toContain(
      'alice',
    );
  });

  it('when the next session has begun, should drop what that tells until it has behaved as signed out', async () => {
    const { page, alices, other } = await away(({ leave }) => leave());
    await refresh(other.store, bob);
    expect(alices.ended).not.toHaveBeenCalled();
    page.comeBack();
    expect(alices.ended).toHaveBeenCalledTimes(1);
    // It is a tab like any other from now on.
    expect(await refresh(alices.store, forbidden)).toBe('bob');
  });

  it('frozen, or busy, should fail the refresh that begins before any event says so', async () => {
    const { alices, other } = await away(({ leave }) => leave());
    await refresh(other.store, bob);
    expect(isTokenError(await failure(refresh(alices.store, forbidden)), 'ERR_TOKEN_STORE')).toBe(true);
    expect(alices.ended).toHaveBeenCalledTimes(1);
  });

  it('from a freeze should look too', async () => {
    const { page, alices } = await away(({ leave }) => leave());
    page.thaw();
    expect(alices.ended).toHaveBeenCalledTimes(1);
  });

  it('should keep its token when its session goes on', async () => {
    const page = showPage(storage);
    const { store, ended } = open();
    await refresh(store, alice);
    page.leave();
    showPage(storage);
    page.comeBack();
    expect(await refresh(store, forbidden)).toBe('alice');
    expect(await refresh(open(200).store, forbidden)).toBe('alice');
    expect(ended).not.toHaveBeenCalled();
  });

  it('should hear nothing while it is away', async () => {
    const page = showPage(storage);
    const { store } = open();
    await refresh(store, alice);
    page.leave();
    showPage(storage);
    expect(await refresh(open().store, bob)).toBe('bob');
  });

  it('should count as signed out when the application has cleared localStorage', async () => {
    const { page, alices } = await away(({ leave }) => leave());
    storage.items.clear();
    page.comeBack();
    expect(alices.ended).toHaveBeenCalledTimes(1);
    expect(await refresh(open().store, bob)).toBe('bob');
  });
});

describe('a tab that is not used', () => {
  it('should end its session when the application clears localStorage in another tab', async () => {
    const page = showPage(storage);
    const { store, ended, token$ } = open(0);
    expect(await refresh(store, alice)).toBe('alice');
    storage.setItem('theme', 'dark');
    page.storageChanges();
    expect(ended).not.toHaveBeenCalled();
    storage.items.clear();
    page.storageChanges();
    expect(ended).toHaveBeenCalledTimes(1);
    expect(token$.current).toBeNull();
  });
});

describe('a tab that', () => {
  const blocked = () => {
    throw new DOMException('The operation is insecure.', 'SecurityError');
  };
  const works = async (signsOut = true) => {
    const { store, ended } = open(0);
    expect(await refresh(store, alice)).toBe('alice');
    expect(await refresh(store, forbidden)).toBe('alice');
    if (!signsOut) return;
    expect(store.signOut).not.toThrow();
    expect(ended).toHaveBeenCalledTimes(1);
    expect(await refresh(store, bob)).toBe('bob');
  };

  it.each<[string, () => unknown]>([
    ['may open no channel', blocked],
    ['may post nothing', () => ({ postMessage: blocked, close: () => undefined })],
  ])('%s should work alone, and sign out', async (_what, channel) => {
    const spy = jest.spyOn(globalThis, 'BroadcastChannel').mockImplementation(channel as never);
    try {
      await works();
    } finally {
      spy.mockRestore();
    }
  });

  it.each<[string, object | null]>([
    ['may not use localStorage', { getItem: blocked, setItem: blocked, removeItem: blocked }],
    ['has a full localStorage', { getItem: () => null, setItem: blocked, removeItem: () => undefined }],
    ['has no localStorage', null],
  ])('%s should work alone, and sign out', async (_what, its) => {
    const other = open();
    await refresh(other.store, bob);
    showPage(its!);
    await works();
    expect(await refresh(other.store, forbidden)).toBe('bob');
  });

  it('has a full localStorage should take part in the sign-out of the others', async () => {
    const other = open();
    await refresh(other.store, bob);
    showPage({ getItem: () => null, setItem: blocked, removeItem: () => undefined });
    const { store, ended } = open(0);
    await refresh(store, alice);
    showPage(storage);
    other.store.signOut();
    await until(() => ended.mock.calls.length > 0);
    await pause(20);
    expect(ended).toHaveBeenCalledTimes(1);
  });

  it('cannot write localStorage any more should still end the session of the others', async () => {
    const other = open();
    await refresh(other.store, alice);
    const { store } = open();
    await refresh(store, forbidden);
    storage.setItem = blocked;
    store.signOut();
    await until(() => other.ended.mock.calls.length > 0);
    await pause(20);
    expect(other.ended).toHaveBeenCalledTimes(1);
  });
});

describe('where there is no page', () => {
  const refused = /works in the page of a browser only, and there is no window and document here/;

  it.each<[string, object]>([
    ['a server', {}],
    ['a worker', { window: undefined, document: undefined, self: new EventTarget() }],
    ['a server with half a page', { window: { addEventListener: () => undefined } }],
  ])('on %s, the store should be refused', (_what, globals) => {
    closePages();
    Object.assign(globalThis, globals);
    const make = (): unknown => tabTokenStore({ name: 'orders' });
    expect(make).toThrow(TypeError);
    expect(make).toThrow(refused);
    Reflect.deleteProperty(globalThis, 'self');
  });
});
