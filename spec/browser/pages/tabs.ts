/** The page of tabs-spec: one tab of an application that shares its token. */
import { createTokenStream, type TokenEvent } from 'rx-fresh-token';
import { tabTokenStore } from 'rx-fresh-token/tabs';

const query = new URLSearchParams(location.search);
const tab = query.get('tab') ?? '';
const store = tabTokenStore({
  name: query.get('name') ?? 'orders',
  lockTimeout: Number(query.get('lockTimeout') ?? 15_000),
});
const token$ = createTokenStream(
  ({ signal }) =>
    fetch(`/token?tab=${tab}`, { method: 'POST', signal }).then(
      (response) => response.json() as Promise<{ access_token: string }>,
    ),
  { store, jitter: 0, refreshBefore: 250 },
);
const events: (TokenEvent & { readonly hidden: boolean })[] = [];
token$.events.subscribe((event) => events.push({ ...event, hidden: document.hidden }));

const page = {
  token$,
  store,
  events,
  /** How often something happened. */
  count: (type: TokenEvent['type']) => events.filter((event) => event.type === type).length,
  start: () => {
    token$.subscribe({ error: () => undefined });
  },
  current: () => token$.current?.value ?? null,
  /** Milliseconds of life left. */
  left: () => (token$.current?.expiresAt ?? 0) - Date.now(),
};
export type TabPage = typeof page;
Object.assign(globalThis, { tab: page });
