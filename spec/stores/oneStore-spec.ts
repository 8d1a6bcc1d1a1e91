import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncScheduler, firstValueFrom } from 'rxjs';
import { createTokenStream, type TokenEvent, type TokenResponse, type TokenStore } from 'rx-fresh-token';
import { fileTokenStore } from 'rx-fresh-token/file';
import { memoryTokenStore } from 'rx-fresh-token/testing';
import { createStoreSession } from '../../src/stores/session.js';
import { createTimers } from '../../src/internal/time/timers.js';

const folder = mkdtempSync(join(tmpdir(), 'one-store-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Two streams with one and the same store object. */
async function twoStreams(store: TokenStore) {
  let fetched = 0;
  const source = (): Promise<TokenResponse> =>
    Promise.resolve({ access_token: `T${String(++fetched)}`, expires_in: 60 });
  const told: string[] = [];
  const streams = ['one', 'other'].map((name) => {
    const token$ = createTokenStream(source, { store });
    token$.events.subscribe(({ type }: TokenEvent) => {
      if (type === 'signedOut') told.push(name);
    });
    return token$;
  });
  for (const token$ of streams) await firstValueFrom(token$);
  return { streams, told };
}

describe.each<[string, () => TokenStore]>([
  ['memory', () => memoryTokenStore()],
  ['a file', () => fileTokenStore(join(folder, 'token.json'))],
])('two streams with one store object, in %s', (_name, create) => {
  it('should both end their session at a sign-out of either, at once and once', async () => {
    const { streams, told } = await twoStreams(create());
    streams[0]!.signOut();
    expect(streams.map(({ current }) => current)).toEqual([null, null]);
    expect(told.sort()).toEqual(['one', 'other']);
    const { value } = await firstValueFrom(streams[1]!);
    streams[1]!.signOut();
    expect([value, streams.map(({ current }) => current)]).toEqual(['T2', [null, null]]);
    for (const token$ of streams) token$.close();
  });

  it('should both end it at a sign-out of the store itself', async () => {
    const store = create();
    const { streams, told } = await twoStreams(store);
    await store.signOut!();
    expect(streams.map(({ current }) => current)).toEqual([null, null]);
    expect(told.sort()).toEqual(['one', 'other']);
    for (const token$ of streams) token$.close();
  });
});

it('should be emitted by the session of a store when it begins to tell the others', async () => {
  const timers = createTimers(asyncScheduler);
  const session = createStoreSession(() => Promise.resolve(), timers);
  const story: boolean[] = [];
  session.signedOut.subscribe(() => story.push(session.isPublishPending()));
  await session.signOut('a');
  session.endedByOthers();
  expect(story).toEqual([true, false]);
});
