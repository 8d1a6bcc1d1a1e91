import { type Observable, of, Subject } from 'rxjs';
import { ON_SIGN_OUT } from '../../src/internal/hiddenMembers.js';
import { clientCredentials } from '../../src/oauth/clientCredentials.js';
import { jwtBearer } from '../../src/oauth/jwtBearer.js';
import type { RefreshTokenOptions } from '../../src/oauth/options.js';
import { refreshToken } from '../../src/oauth/refreshToken.js';
import { tokenExchange } from '../../src/oauth/tokenExchange.js';
import type { SourceHooks } from '../../src/token/sourceHooks.js';
import type { AccessToken, TokenResponse, TokenSource } from '../../src/token/types.js';
import { ask, deferred, fakeEndpoint, refuse, turns, type FakeEndpoint, type Seen } from './fakeEndpoint.js';

const base = {
  tokenEndpoint: 'https://id.example/token',
  revocationEndpoint: 'https://id.example/revoke',
  clientId: 'app',
  clientAuth: 'none',
} as const;
const isRevocation = ({ url }: Seen) => url.endsWith('/revoke');
const used = ({ seen }: FakeEndpoint) =>
  seen.filter((each) => !isRevocation(each)).map(({ form }) => form.refresh_token);
const revoked = ({ seen }: FakeEndpoint) =>
  seen
    .filter(isRevocation)
    .map(({ form }) => [form.token_type_hint, form.token])
    .sort();

/** What the stream does at `signOut()`: it tells the source, and then ends its request. */
function signOut(source: TokenSource, token?: string, pending?: AbortController, refresh_token?: string): void {
  const raw = { access_token: token, refresh_token };
  (source as SourceHooks)[ON_SIGN_OUT]?.(
    token === undefined ? null : ({ value: token, type: 'Bearer', raw } as AccessToken),
    pending?.signal,
  );
  pending?.abort();
}

/** Gives `T2` and `r2` for `r1`, and so on; when told to, it waits before it answers. */
function setUp(more: Partial<RefreshTokenOptions> = {}, gates: Promise<unknown>[] = []) {
  const stored: string[] = [];
  const endpoint = fakeEndpoint(async (seen) => {
    if (isRevocation(seen)) return refuse(200);
    await gates.shift();
    const next = `${seen.form.refresh_token?.[0] ?? ''}${String(Number(seen.form.refresh_token?.slice(1)) + 1)}`;
    return { access_token: `of-${seen.form.refresh_token ?? ''}`, refresh_token: next };
  });
  const source = refreshToken({
    ...base,
    refreshToken: 'r1',
    onRotate: ({ refresh_token }) => void stored.push(refresh_token),
    fetch: endpoint.fetch,
    ...more,
  });
  return { source, endpoint, stored };
}

/** Begins a request that never fails this spec. */
function begin(source: TokenSource) {
  const controller = new AbortController();
  const outcome = ask(source, { signal: controller.signal }).then(
    ({ access_token }) => access_token,
    (failure: unknown) => (failure as Error).message,
  );
  return { controller, outcome };
}

describe('after sign-out', () => {
  it('should store nothing that a refresh under way still brings, hand it to nobody, and revoke it', async () => {
    const gate = deferred<undefined>();
    const { source, endpoint, stored } = setUp({}, [gate.promise]);
    const [own, other] = [begin(source), begin(source)];
    await turns();
    signOut(source, 'T0', own.controller);
    stored.length = 0; // the application deletes its refresh token
    gate.resolve(undefined);
    await turns();
    expect(stored).toEqual([]);
    // Of another stream on this source too: its user is the same.
    expect([await own.outcome, await other.outcome]).not.toContain('of-r1');
    expect(await other.outcome).toBe('the user has signed out');
    expect(revoked(endpoint)).toEqual([
      ['access_token', 'T0'],
      ['access_token', 'of-r1'],
      ['refresh_token', 'r1'],
      ['refresh_token', 'r2'],
    ]);
  });

  it('should revoke the refresh token of a response that another process has shared', async () => {
    const { source, endpoint } = setUp({ refreshToken: () => 'r1' });
    signOut(source, 'T2', undefined, 'r2');
    await turns();
    expect(revoked(endpoint)).toEqual([
      ['access_token', 'T2'],
      ['refresh_token', 'r2'],
    ]);
  });

  it('should send nothing that had not been sent', async () => {
    const reading = deferred<string>();
    const { source, endpoint, stored } = setUp({ refreshToken: () => reading.promise });
    const { controller, outcome } = begin(source);
    await turns();
    signOut(source, undefined, controller);
    reading.resolve('r1');
    await turns();
    await outcome;
    expect([endpoint.seen, stored]).toEqual([[], []]);
  });

  it.each<[string, Partial<RefreshTokenOptions>]>([
    ['a string, which is used up', { refreshToken: 'r1' }],
    [
      'a function that gives nothing any more',
      { refreshToken: jest.fn().mockReturnValueOnce('r1').mockReturnValue(null) },
    ],
    ['a function that still gives the one that was signed out', { refreshToken: () => 'r1' }],
  ])('should ask the user to sign in where the refresh token was %s', async (_what, more) => {
    const prompt = jest.fn(() => of({ access_token: 'signed-in', refresh_token: 'n1' }));
    const { source, endpoint, stored } = setUp({ ...more, reauthenticate: prompt });
    await ask(source);
    signOut(source, 'of-r1');
    expect((await ask(source)).access_token).toBe('signed-in');
    expect((await ask(source)).access_token).toBe('of-n1');
    await turns();
    expect([prompt.mock.calls.length, used(endpoint), stored]).toEqual([1, ['r1', 'n1'], ['r2', 'n1', 'n2']]);
    expect(revoked(endpoint)).toEqual([
      ['access_token', 'of-r1'],
      ['refresh_token', 'r2'],
    ]);
  });

  it('should fail permanently where there is no refresh token and nobody to ask', async () => {
    const { source, endpoint } = setUp();
    signOut(source);
    await expect(ask(source)).rejects.toMatchObject({ name: 'TokenEndpointError', error: 'login_required' });
    await turns();
    // It was never used, but it is known.
    expect([used(endpoint), revoked(endpoint)]).toEqual([[], [['refresh_token', 'r1']]]);
  });

  it('should not send the refresh token that is stored, though the newest one could not be', async () => {
    let stored = 'r1';
    const onRotate = ({ refresh_token }: { refresh_token: string }) => {
      if (refresh_token === 'r3') throw new Error('no space left');
      stored = refresh_token;
    };
    const { source, endpoint } = setUp({ refreshToken: () => stored, onRotate });
    await ask(source);
    await ask(source);
    signOut(source);
    await expect(ask(source)).rejects.toThrow();
    expect(used(endpoint)).toEqual(['r1', 'r2']);
  });

  it('should read the refresh token again, which may be that of another user', async () => {
    const read = jest.fn().mockReturnValueOnce('r1').mockReturnValue('n1');
    const { source, endpoint } = setUp({ refreshToken: read });
    await ask(source);
    signOut(source);
    await turns();
    expect(read).toHaveBeenCalledTimes(1);
    expect((await ask(source)).access_token).toBe('of-n1');
    expect(used(endpoint)).toEqual(['r1', 'n1']);
  });

  it("should not take the old refresh token from the stream's store", async () => {
    const prompt = jest.fn(() => of({ access_token: 'signed-in', refresh_token: 'n1' }));
    const { source, endpoint } = setUp({ reauthenticate: prompt });
    const last = await ask(source, { last: null });
    await ask(source, { last });
    signOut(source);
    await ask(source, { last });
    expect([prompt.mock.calls.length, used(endpoint)]).toEqual([1, ['r1', 'r2']]);
    await ask(source, { last: { access_token: 'T', refresh_token: 'x1' } });
    expect(used(endpoint)).toEqual(['r1', 'r2', 'x1']);
  });

  it('should not wait for a sign-in under way: what that brings is revoked, not stored, not used', async () => {
    const prompts = [new Subject<TokenResponse>(), new Subject<TokenResponse>()] as const;
    const prompt = jest
      .fn<Observable<TokenResponse>, []>()
      .mockReturnValueOnce(prompts[0])
      .mockReturnValueOnce(prompts[1]);
    const { source, endpoint, stored } = setUp({ refreshToken: () => null, reauthenticate: prompt });
    const first = begin(source);
    await turns();
    signOut(source, undefined, first.controller);
    const second = begin(source);
    await turns();
    expect(prompt).toHaveBeenCalledTimes(2);
    prompts[1].next({ access_token: 'B', refresh_token: 'b1' });
    expect(await second.outcome).toBe('B');
    prompts[0].next({ access_token: 'A', refresh_token: 'a1' });
    await turns();
    expect([stored, revoked(endpoint)]).toEqual([
      ['b1'],
      [
        ['access_token', 'A'],
        ['refresh_token', 'a1'],
      ],
    ]);
    expect((await ask(source)).access_token).toBe('of-b1');
  });

  it('should revoke what a sign-in gave when nobody waited for it any more', async () => {
    const prompt = new Subject<TokenResponse>();
    const { source, endpoint } = setUp({ refreshToken: () => null, reauthenticate: () => prompt });
    const { controller, outcome } = begin(source);
    await turns();
    controller.abort();
    await outcome;
    prompt.next({ access_token: 'A' });
    await turns();
    signOut(source);
    const next = begin(source);
    await turns();
    expect(revoked(endpoint)).toEqual([['access_token', 'A']]);
    prompt.next({ access_token: 'B' });
    expect(await next.outcome).toBe('B');
  });

  it('should not ask the user because there is no refresh token to be read', async () => {
    const stored = deferred<string>();
    const reauthenticate = jest.fn();
    const { source } = setUp({ refreshToken: () => stored.promise, reauthenticate });
    const { controller, outcome } = begin(source);
    await turns();
    signOut(source, undefined, controller);
    stored.resolve('');
    await outcome;
    await turns();
    expect(reauthenticate).not.toHaveBeenCalled();
  });

  it('should not ask the user because the refresh under way is refused', async () => {
    const gate = deferred<undefined>();
    const prompt = jest.fn();
    const read = jest.fn(() => 'r1');
    const endpoint = fakeEndpoint(async () => {
      await gate.promise;
      return refuse(400, 'invalid_grant');
    });
    const { source } = setUp({ refreshToken: read, fetch: endpoint.fetch, reauthenticate: prompt });
    const { controller } = begin(source);
    await turns();
    signOut(source, undefined, controller);
    gate.resolve(undefined);
    await turns();
    expect([prompt.mock.calls.length, read.mock.calls.length]).toEqual([0, 1]);
  });

  it('should store a later rotation only after the one that was being stored, and none that waited for that', async () => {
    const slow = deferred<undefined>();
    const steps: string[] = [];
    const { source } = setUp({
      refreshToken: jest.fn().mockReturnValueOnce('r1').mockReturnValue('n1'),
      onRotate: async ({ refresh_token }) => {
        steps.push(`begin ${refresh_token}`);
        if (refresh_token === 'r2') await slow.promise;
        steps.push(`end ${refresh_token}`);
      },
    });
    const first = begin(source);
    await turns();
    signOut(source, undefined, first.controller);
    const second = begin(source);
    await turns();
    expect(steps).toEqual(['begin r2']);
    slow.resolve(undefined);
    expect(await second.outcome).toBe('of-n1');
    expect(steps).toEqual(['begin r2', 'end r2', 'begin n2', 'end n2']);
    expect(await first.outcome).not.toBe('of-r1');
  });

  it('should not store a rotation that waits for the one before it', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    try {
      const slow = deferred<undefined>();
      const steps: string[] = [];
      const { source } = setUp({ onRotate: ({ refresh_token }) => (steps.push(refresh_token), slow.promise) });
      const first = begin(source);
      await turns();
      first.controller.abort();
      await jest.advanceTimersByTimeAsync(5000);
      expect((await ask(source)).access_token).toBe('of-r1');
      const second = begin(source);
      await turns();
      signOut(source, undefined, second.controller);
      slow.resolve(undefined);
      await turns();
      expect(steps).toEqual(['r2']);
    } finally {
      jest.useRealTimers();
    }
  });

  it('should revoke the token whose refresh token is being stored', async () => {
    const slow = deferred<undefined>();
    const { source, endpoint } = setUp({ onRotate: () => slow.promise });
    const { controller, outcome } = begin(source);
    await turns();
    signOut(source, undefined, controller);
    slow.resolve(undefined);
    await turns();
    expect(await outcome).not.toBe('of-r1');
    expect(revoked(endpoint)).toEqual([
      ['access_token', 'of-r1'],
      ['refresh_token', 'r2'],
    ]);
  });

  it('should not hand out a token that was kept while its refresh token could not be stored', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    try {
      const { source, endpoint } = setUp({ onRotate: () => new Promise(() => undefined) });
      const { controller, outcome } = begin(source);
      await turns();
      controller.abort();
      await outcome;
      await jest.advanceTimersByTimeAsync(5000);
      signOut(source);
      await expect(ask(source)).rejects.toMatchObject({ error: 'login_required' });
      expect(revoked(endpoint)).toEqual([
        ['access_token', 'of-r1'],
        ['refresh_token', 'r2'],
      ]);
    } finally {
      jest.useRealTimers();
    }
  });

  it('should do without a revocation endpoint, and without an answer of it', async () => {
    for (const more of [{ revocationEndpoint: undefined }, { revocationEndpoint: 'https://down.example/revoke' }]) {
      const endpoint = fakeEndpoint(({ url }) =>
        url.includes('down') ? Promise.reject(new Error('down')) : { access_token: 'T', refresh_token: 'r2' },
      );
      const { source } = setUp({ ...more, fetch: endpoint.fetch });
      await ask(source);
      signOut(source, 'T');
      await turns(); // an unhandled rejection would fail this file
      expect(used(endpoint)).toContain('r1');
    }
  });
});

describe('after sign-out, a source without a refresh token', () => {
  const grants: [string, (fetch: typeof globalThis.fetch) => TokenSource][] = [
    ['clientCredentials', (fetch) => clientCredentials({ ...base, fetch })],
    ['jwtBearer', (fetch) => jwtBearer({ ...base, fetch, assertion: 'a' })],
    ['tokenExchange', (fetch) => tokenExchange({ ...base, fetch, subjectToken: 's' })],
  ];

  it.each(grants)('should have its token revoked, and the one that still comes: %s', async (_grant, create) => {
    const gate = deferred<undefined>();
    let tokens = 0;
    const endpoint = fakeEndpoint(async (seen) => {
      if (isRevocation(seen)) return refuse(200);
      if (tokens++ === 0) await gate.promise;
      return { access_token: `T${String(tokens)}` };
    });
    const source = create(endpoint.fetch);
    const { controller, outcome } = begin(source);
    await turns();
    signOut(source, 'T0', controller);
    gate.resolve(undefined);
    await outcome;
    await turns();
    expect(revoked(endpoint)).toEqual([
      ['access_token', 'T0'],
      ['access_token', 'T1'],
    ]);
    await expect(ask(source)).resolves.toMatchObject({ access_token: 'T2' });
  });
});

describe('a signal that many requests share', () => {
  it('should not be left with a listener of each', async () => {
    const { signal } = new AbortController();
    const add = jest.spyOn(signal, 'addEventListener');
    const remove = jest.spyOn(signal, 'removeEventListener');
    const endpoint = fakeEndpoint(() => ({ access_token: 'T', refresh_token: 'r2' }));
    const sources = [
      clientCredentials({ ...base, fetch: endpoint.fetch }),
      refreshToken({ ...base, fetch: endpoint.fetch, refreshToken: 'r1' }),
    ];
    for (const source of sources)
      for (const last of [undefined, null]) await ask(source, { signal, ...(last === null && { last }) });
    await turns();
    expect(add).toHaveBeenCalled();
    expect(remove.mock.calls.length).toBe(add.mock.calls.length);
  });
});
