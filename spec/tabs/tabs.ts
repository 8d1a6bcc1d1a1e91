import { createTokenStream, type TokenRequest, type TokenResponse, type TokenStreamOptions } from 'rx-fresh-token';
import { tabTokenStore, type TabTokenStoreOptions } from 'rx-fresh-token/tabs';
import { from, type ObservableInput } from 'rxjs';

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
    return mine;
  };
  return { held, request };
}

const root = globalThis as { navigator?: unknown };
const native = Object.getOwnPropertyDescriptor(globalThis, 'navigator');

export function installLocks(locks: unknown): void {
  Object.defineProperty(root, 'navigator', { value: { locks }, configurable: true });
}

export function uninstallLocks(): void {
  if (native) Object.defineProperty(root, 'navigator', native);
  else delete root.navigator;
}

const opened: { close(): void }[] = [];

export function closeTabs(): void {
  for (const token$ of opened.splice(0)) token$.close();
}

export interface TabSetup extends TokenStreamOptions, Partial<TabTokenStoreOptions> {
  source?: (request: TokenRequest) => ObservableInput<TokenResponse>;
}

let tokens = 0;

/** A tab: a stream of its own over the store that it shares with the others. A busy machine answers late: they wait longer than by default. */
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
  opened.push(token$);
  return { store, token$, asked };
}
