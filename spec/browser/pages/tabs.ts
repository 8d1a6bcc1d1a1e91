/** The page of tabs-spec: one tab of an application that shares its token. */
import { createTokenStream, type TokenEvent } from 'rx-fresh-token';
import { tabTokenStore } from 'rx-fresh-token/tabs';

const query = new URLSearchParams(location.search);
const tab = query.get('tab') ?? '';
const store = tabTokenStore({
  name: query.get('name') ?? 'orders',
  askTimeout: Number(query.get('askTimeout') ?? 40),
  lockTimeout: Number(query.get('lockTimeout') ?? 20_000),
});
const events: (TokenEvent & { readonly hidden: boolean })[] = [];
/** What this page was handed, and when its session ended. */
const story: string[] = [];

const open = () => {
  const stream = createTokenStream(
    ({ signal, last }) =>
      fetch(`/token?tab=${tab}&last=${last?.refresh_token ?? ''}`, { method: 'POST', signal }).then(
        (response) => response.json() as Promise<{ access_token: string }>,
      ),
    { store, jitter: 0, refreshBefore: 250 },
  );
  stream.events.subscribe((event) => events.push({ ...event, hidden: document.hidden }));
  return stream;
};
let token$ = open();
const start = () => {
  token$.subscribe({ next: ({ value }) => story.push(value), error: () => undefined });
};
// A stream of before forgets its token, and another one begins.
store.signedOut.subscribe(() => {
  story.push('signedOut');
  token$.close();
  token$ = open();
});
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) story.push('back');
});

const page = {
  store,
  story,
  events,
  /** How often something happened. */
  count: (type: TokenEvent['type']) => events.filter((event) => event.type === type).length,
  start,
  current: () => token$.current?.value ?? null,
  /** Milliseconds of life left. */
  left: () => (token$.current?.expiresAt ?? 0) - Date.now(),
};
export type TabPage = typeof page;
Object.assign(globalThis, { tab: page });
