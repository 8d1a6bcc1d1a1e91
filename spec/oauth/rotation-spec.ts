import { firstValueFrom, toArray } from 'rxjs';
import { createFetch } from '../../src/http/createFetch.js';
import { ON_SIGN_OUT } from '../../src/internal/hiddenMembers.js';
import { refreshToken } from '../../src/oauth/refreshToken.js';
import type { SourceHooks } from '../../src/token/sourceHooks.js';
import { createTokenStream } from '../../src/token/tokenStream.js';
import { clientOf, startAuthority, type Authority } from './authority.js';
import { ask } from './fakeEndpoint.js';

let authority: Authority;
beforeEach(async () => {
  authority = await startAuthority({ delay: 20 });
});

describe('rotation, at a server that revokes everything when a used refresh token comes back', () => {
  it('should never send a used one: 10 refreshes, 50 at once, subscribers that leave in mid-refresh', async () => {
    const stored: string[] = [];
    const source = refreshToken({
      ...clientOf(authority, 'app'),
      refreshToken: await authority.seed(),
      onRotate: ({ refresh_token }) => void stored.push(refresh_token),
    });
    const token$ = createTokenStream(source);
    const values = new Set<string>();
    for (let i = 0; i < 10; i++) values.add((await firstValueFrom(token$.refresh())).value);
    expect(values.size).toBe(10);

    const forced = await Promise.all(Array.from({ length: 50 }, () => firstValueFrom(token$.refresh())));
    expect(new Set(forced.map(({ value }) => value)).size).toBe(1);
    expect((await authority.stats()).tokens).toBe(11);

    for (const delay of [0, 1, 10, 19]) {
      const leaver = token$.refresh().subscribe();
      await new Promise((resolve) => setTimeout(resolve, delay));
      leaver.unsubscribe();
      await firstValueFrom(token$.refresh());
    }
    expect((await createFetch(token$, { baseUrl: authority.issuer })('/api/me')).status).toBe(200);
    token$.close();

    const { tokens, refused, revokedGrants } = await authority.stats();
    expect({ refused, revokedGrants }).toEqual({ refused: [], revokedGrants: 0 });
    expect(stored).toHaveLength(tokens);
    expect(new Set(stored).size).toBe(tokens);
  });

  it('should be safe without a stream, though callers abort', async () => {
    const source = refreshToken({ ...clientOf(authority, 'app'), refreshToken: await authority.seed() });
    for (let round = 0; round < 5; round++) {
      await Promise.allSettled(
        Array.from({ length: 10 }, (_, i) => ask(source, { signal: AbortSignal.timeout(3 * i) })),
      );
    }
    await ask(source);
    const { refused, revokedGrants } = await authority.stats();
    expect({ refused, revokedGrants }).toEqual({ refused: [], revokedGrants: 0 });
  });

  it('should store what the server rotated for a subscriber that left, though the answer comes after every timeout', async () => {
    const slow = await startAuthority({ delay: 900 });
    const stored: string[] = [];
    const source = refreshToken({
      ...clientOf(slow, 'app'),
      refreshToken: await slow.seed(),
      onRotate: ({ refresh_token }) => void stored.push(refresh_token),
    });
    const token$ = createTokenStream(source, { fetchTimeout: 300, backoff: { initial: 50, max: 50 } });
    const leaver = token$.subscribe();
    while ((await slow.stats()).tokens === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    leaver.unsubscribe();
    const deadline = Date.now() + 5000;
    while (stored.length === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
    await firstValueFrom(token$);
    token$.close();
    const { refused, revokedGrants } = await slow.stats();
    expect({ refused, revokedGrants, stored: new Set(stored).size }).toEqual({
      refused: [],
      revokedGrants: 0,
      stored: stored.length,
    });
    expect(stored.length).toBeGreaterThan(0);
  }, 20_000);

  it('should go on where it stopped when a stream is closed in mid-refresh', async () => {
    let stored = await authority.seed();
    const open = () =>
      createTokenStream(
        refreshToken({
          ...clientOf(authority, 'app'),
          refreshToken: () => [stored],
          onRotate: ({ refresh_token }) => void (stored = refresh_token),
        }),
      );
    const first = stored;
    const closing = open();
    closing.subscribe();
    while ((await authority.stats()).tokens === 0); // the server has rotated; its answer is on its way, or here
    closing.close();
    const deadline = Date.now() + 2000;
    while (stored === first && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
    const next = open();
    await firstValueFrom(next);
    next.close();
    expect((await authority.stats()).revokedGrants).toBe(0);
  });

  it('should go on when the new refresh token cannot be stored, and say so as an event', async () => {
    const source = refreshToken({
      ...clientOf(authority, 'app'),
      refreshToken: await authority.seed(),
      onRotate: () => Promise.reject(new Error('disk full')),
    });
    const token$ = createTokenStream(source);
    const events = firstValueFrom(token$.events.pipe(toArray()));
    await firstValueFrom(token$);
    await firstValueFrom(token$.refresh());
    token$.close();
    const told = (await events).map((event) => [
      event.type,
      event.type === 'refreshFailed' && (event.error as Error).message,
    ]);
    const failed = ['refreshFailed', expect.stringMatching(/^onRotate failed/)];
    expect(told).toEqual([
      ['refreshStarted', false],
      failed,
      ['tokenChanged', false],
      ['refreshStarted', false],
      failed,
      ['tokenChanged', false],
      ['closed', false],
    ]);
    expect((await authority.stats()).refused).toEqual([]);
  });

  it('should not wait for its own token when its requests go through the client that needs it', async () => {
    const source = refreshToken({
      ...clientOf(authority, 'app'),
      refreshToken: await authority.seed(),
      fetch: (...request) => send(...request),
    });
    const token$ = createTokenStream(source, { fetchTimeout: 2000 });
    const send = createFetch(token$, { baseUrl: authority.issuer });
    expect((await send('/api/me')).status).toBe(200);
    token$.close();
  });

  it('should be a server that does revoke, or all this would prove nothing', async () => {
    const seed = await authority.seed();
    const thief = () => ask(refreshToken({ ...clientOf(authority, 'app'), refreshToken: seed }));
    await thief();
    await expect(thief()).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await authority.stats()).revokedGrants).toBe(1);
  });
});

describe('sign-out in mid-refresh, at a server that revokes', () => {
  it('should leave no refresh token behind: none is stored again, and the server accepts none', async () => {
    const slow = await startAuthority({ delay: 300 });
    const first = await slow.seed();
    let stored: string | undefined = first;
    const sent: string[] = [];
    const source = refreshToken({
      ...clientOf(slow, 'app'),
      refreshToken: () => stored ?? null,
      onRotate: ({ refresh_token }) => void (stored = refresh_token),
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        const { refresh_token } = (await response
          .clone()
          .json()
          .catch(() => ({}))) as { refresh_token?: string };
        if (refresh_token !== undefined) sent.push(refresh_token);
        return response;
      },
    });
    const controller = new AbortController();
    const asked = ask(source, { signal: controller.signal }).catch(() => 'left');
    while ((await slow.stats()).tokens === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    (source as SourceHooks)[ON_SIGN_OUT]?.(null, controller.signal);
    controller.abort();
    stored = undefined;
    expect(await asked).toBe('left');
    const deadline = Date.now() + 5000;
    while ((sent.length === 0 || (await slow.stats()).revocations < 2) && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect([stored, sent.length]).toEqual([undefined, 1]);
    await expect(ask(source)).rejects.toMatchObject({ error: 'login_required' });
    for (const refresh_token of [first, ...sent]) {
      const again = refreshToken({ ...clientOf(slow, 'app'), refreshToken: refresh_token });
      await expect(ask(again)).rejects.toMatchObject({ error: 'invalid_grant' });
    }
  });
});
