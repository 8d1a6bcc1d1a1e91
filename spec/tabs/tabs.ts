import { setMaxListeners } from 'node:events';
import { createTokenStream, type TokenRequest, type TokenResponse, type TokenStreamOptions } from 'rx-fresh-token';
import { tabTokenStore, type TabTokenStore, type TabTokenStoreOptions } from 'rx-fresh-token/tabs';
import { firstValueFrom, from, type ObservableInput, type Unsubscribable } from 'rxjs';

/** The id of the session that the pages find in their storage. */
export const SESSION = 'session-1';

type Callback = (lock: object) => Promise<unknown>;

/** Web Locks of one browser, as far as the store needs them. Node 20 has none. */
export function fakeLocks() {
  const queues = new Map<string, Promise<unknown>>();
  const held: string[] = [];
  const request = (name: string, { signal }: { signal: AbortSignal }, callback: Callback): Promise<unknown> => {
    const before = queues.get(name) ?? Promise.resolve();
    const mine = before.then(() => {
      signal.throwIfAborted();
      held.push(name);
      return callback({ name });
    });
    queues.set(
      name,
      mine.catch(() => undefined),
    );
    const aborted = new Promise((_resolve, reject) => {
      signal.addEventListener('abort', reject);
    });
    return Promise.race([mine, aborted]);
  };
  return { held, request };
}

const root = globalThis as { navigator?: unknown; window?: unknown; document?: unknown };
const native = Object.getOwnPropertyDescriptor(globalThis, 'navigator');

export function installLocks(locks: unknown): void {
  Object.defineProperty(root, 'navigator', { value: { locks }, configurable: true });
}

export function uninstallLocks(): void {
  if (native) Object.defineProperty(root, 'navigator', native);
  else delete root.navigator;
}

/** localStorage, as far as the store needs it. */
export function fakeStorage() {
  const items = new Map<string, string>();
  return {
    items,
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
}

/**
 * Node has no pages, and the store works in no other place. What it needs of one: two event targets, and a storage that
 * the pages of an origin have in common. A store belongs to the page in which it was created.
 */
export function showPage(localStorage: object, hidden = false) {
  const window = Object.assign(new EventTarget(), { localStorage });
  const document = Object.assign(new EventTarget(), { hidden, prerendering: false });
  setMaxListeners(0, window, document);
  Object.assign(root, { window, document });
  return {
    /** Into the back/forward cache, and back. */
    leave: () => window.dispatchEvent(new Event('pagehide')),
    comeBack: () => window.dispatchEvent(new Event('pageshow')),
    /** Another tab has changed localStorage. */
    storageChanges: () => window.dispatchEvent(new Event('storage')),
    prerender: () => {
      document.prerendering = true;
    },
    /** The user opens the page that was prerendered. */
    open: () => {
      document.prerendering = false;
      document.dispatchEvent(new Event('prerenderingchange'));
    },
    thaw: () => document.dispatchEvent(new Event('resume')),
  };
}

export function closePages(): void {
  delete root.window;
  delete root.document;
}

const opened: (() => void)[] = [];

/** Ends with the spec. An open channel keeps the process alive. */
export function untilClosed(subscription: Unsubscribable): void {
  opened.push(() => {
    subscription.unsubscribe();
  });
}

export function closeTabs(): void {
  for (const close of opened.splice(0)) close();
}

export interface TabSetup extends TokenStreamOptions, Partial<TabTokenStoreOptions> {
  source?: (request: TokenRequest) => ObservableInput<TokenResponse>;
}

let tokens = 0;

/**
 * A tab: a stream of its own over the store that it shares with the others. A busy machine answers late: they wait
 * longer than by default.
 */
export function tab({ source, name = 'orders', askTimeout = 200, lockTimeout, lifetime, ...options }: TabSetup = {}) {
  const asked: TokenRequest[] = [];
  const store = tabTokenStore({ name, askTimeout, lockTimeout, lifetime });
  const token$ = createTokenStream(
    (request) => {
      asked.push(request);
      return source
        ? from(source(request))
        : [{ access_token: `T${String(++tokens)}`, expires_in: 3600, refresh_token: 'R' }];
    },
    { jitter: 0, store, lifetime, ...options },
  );
  // A stream listens until it closes, idle or not.
  const ended = jest.fn();
  untilClosed(store.signedOut.subscribe(ended));
  opened.push(() => {
    token$.close();
  });
  return { store, token$, asked, ended };
}

/** One refresh by the store alone, for those specs that end a session. */
export const refresh = (
  store: TabTokenStore,
  source: (last?: TokenResponse | null) => ObservableInput<TokenResponse>,
): Promise<string> =>
  firstValueFrom(
    from(
      store.refresh({ reason: 'initial', attempt: 1, previous: null, signal: new AbortController().signal }, (last) =>
        from(source(last)),
      ),
    ),
  ).then(({ response }) => response.access_token);
