import { firstValueFrom, from, map, NEVER, of, Subject, throwError, timer } from 'rxjs';
import { inspect } from 'node:util';
import { fetcherBehind, headStartOf, ON_BEHALF_OF } from '../../src/internal/hiddenMembers.js';
import { refreshToken } from '../../src/oauth/refreshToken.js';
import { isPermanentFailure } from '../../src/answers/isPermanentFailure.js';
import { createTokenStream } from '../../src/token/tokenStream.js';
import type { TokenResponse } from '../../src/token/types.js';
import { ask, askAndLeave, deferred, fakeEndpoint, refuse, turns, type Seen } from './fakeEndpoint.js';
import { create, used } from './refreshTokenSource.js';

/** A server that rotates: `r1` gives `r2` and so on, each once; a used one ends it all (RFC 9700 section 4.14.2). */
function rotating() {
  let valid = 1;
  let revoked = false;
  const answer = ({ form }: Seen) => {
    if (revoked || form.refresh_token !== `r${String(valid)}`) {
      revoked = true;
      return refuse(400, 'invalid_grant');
    }
    valid++;
    return { access_token: `T${String(valid)}`, token_type: 'Bearer', refresh_token: `r${String(valid)}` };
  };
  return { answer, endpoint: fakeEndpoint(answer) };
}

const abortable = () => {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
};

describe('rotation', () => {
  it('should use each refresh token once', async () => {
    const { endpoint } = rotating();
    const source = create(endpoint);
    for (let i = 0; i < 4; i++) await ask(source);
    expect(used(endpoint)).toEqual(['r1', 'r2', 'r3', 'r4']);
  });

  it('should take and store the new one although its token is not bound as dpop asks for', async () => {
    const { endpoint } = rotating();
    const stored: string[] = [];
    const source = create(endpoint, {
      dpop: true,
      onRotate: ({ refresh_token }) => void stored.push(refresh_token),
    });
    for (let i = 0; i < 2; i++) await expect(ask(source)).rejects.toThrow('a token that is not bound to the key');
    await turns();
    expect([used(endpoint), stored]).toEqual([
      ['r1', 'r2'],
      ['r2', 'r3'],
    ]);
  });

  it('should keep the old one when the server leaves the new one out', async () => {
    const endpoint = fakeEndpoint(() => ({ access_token: 'T', refresh_token: null }));
    const source = create(endpoint);
    await ask(source);
    await ask(source);
    expect(used(endpoint)).toEqual(['r1', 'r1']);
  });

  it('should be one exchange for callers that come at the same time', async () => {
    const { endpoint } = rotating();
    const source = create(endpoint);
    const tokens = await Promise.all(Array.from({ length: 50 }, () => ask(source)));
    expect(new Set(tokens.map(({ access_token }) => access_token))).toEqual(new Set(['T2']));
    expect(used(endpoint)).toEqual(['r1']);
  });

  it('should send no token after a transient failure but the one it has', async () => {
    const { answer } = rotating();
    const endpoint = fakeEndpoint((seen, index) => (index === 0 ? refuse(503) : answer(seen)));
    const source = create(endpoint);
    await expect(ask(source)).rejects.toMatchObject({ status: 503 });
    await ask(source);
    expect(used(endpoint)).toEqual(['r1', 'r1']);
  });
});

describe('a caller that leaves', () => {
  it('should keep neither the new refresh token from being stored, nor the next caller from the token', async () => {
    const { answer } = rotating();
    const gate = deferred<undefined>();
    const endpoint = fakeEndpoint(async (seen) => {
      await gate.promise;
      return answer(seen);
    });
    const onRotate = jest.fn();
    const source = create(endpoint, { onRotate });
    const { signal, abort } = abortable();
    const left = ask(source, { signal });
    await turns();
    abort();
    await expect(left).rejects.toThrow('aborted');
    gate.resolve(undefined);
    await turns();
    expect(onRotate).toHaveBeenCalledWith(expect.objectContaining({ refresh_token: 'r2' }));
    expect((await ask(source)).access_token).toBe('T2');
    await ask(source);
    expect(used(endpoint)).toEqual(['r1', 'r2']);
  });

  it('should leave no token to the next caller when another process has rotated since', async () => {
    const endpoint = fakeEndpoint(({ form }) => ({ access_token: `of-${form.refresh_token ?? ''}` }));
    const source = create(endpoint);
    const { signal, abort } = abortable();
    const left = ask(source, { signal }).catch(() => 'left');
    abort();
    expect(await left).toBe('left');
    await turns();
    const last = { access_token: 'T', refresh_token: 's1' };
    expect((await ask(source, { last })).access_token).toBe('of-s1');
  });

  it('should not take a used refresh token from a store, if another stream has had the next', async () => {
    const { endpoint } = rotating();
    const source = create(endpoint);
    const fromStore = (refresh_token: string) => ask(source, { last: { access_token: 'T', refresh_token } });
    await ask(source);
    await fromStore('r1');
    await fromStore('r2');
    expect(used(endpoint)).toEqual(['r1', 'r2', 'r3']);
    // Several later: the store has got `r4`, and nothing after that.
    for (let i = 0; i < 5; i++) await ask(source);
    await fromStore('r4');
    expect(used(endpoint).slice(3)).toEqual(['r4', 'r5', 'r6', 'r7', 'r8', 'r9']);
  });

  it('should begin nothing when it had left before', async () => {
    const { endpoint } = rotating();
    const { signal, abort } = abortable();
    abort();
    await expect(ask(create(endpoint), { signal })).rejects.toThrow('aborted');
    await turns();
    expect(used(endpoint)).toEqual([]);
  });

  it('should not fail those who stay, nor those who come meanwhile', async () => {
    const { answer } = rotating();
    const gate = deferred<undefined>();
    const endpoint = fakeEndpoint(async (seen) => {
      await gate.promise;
      return answer(seen);
    });
    const source = create(endpoint);
    const { signal, abort } = abortable();
    const [leaver, stayer] = [ask(source, { signal }), ask(source)];
    await turns();
    abort();
    await expect(leaver).rejects.toThrow('aborted');
    const newcomer = ask(source);
    gate.resolve(undefined);
    expect((await Promise.all([stayer, newcomer])).map(({ access_token }) => access_token)).toEqual(['T2', 'T2']);
    expect(endpoint.seen).toHaveLength(1);
  });

  it('should end an exchange that hangs, 5 s after all have left, so that the next one can begin', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    try {
      const signals: AbortSignal[] = [];
      const fetch: typeof globalThis.fetch = (_url, init) => {
        signals.push(init?.signal as AbortSignal);
        return new Promise((resolve) => {
          if (signals.length > 1) resolve(Response.json({ access_token: 'T' }));
        });
      };
      const source = create({ fetch, seen: [] });
      const { signal, abort } = abortable();
      const left = ask(source, { signal });
      await turns();
      abort();
      await expect(left).rejects.toThrow('aborted');
      jest.advanceTimersByTime(4999);
      expect(signals[0]?.aborted).toBe(false);
      jest.advanceTimersByTime(1);
      expect(signals[0]?.aborted).toBe(true);
      await turns();
      await expect(ask(source)).resolves.toMatchObject({ access_token: 'T' });
    } finally {
      jest.useRealTimers();
    }
  });

  it('should not cut off who comes meanwhile: after those 5 s an exchange that hangs ends with the last of these', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    try {
      const signals: AbortSignal[] = [];
      const fetch: typeof globalThis.fetch = (_url, init) => {
        signals.push(init?.signal as AbortSignal);
        return new Promise((resolve) => {
          if (signals.length > 1) resolve(Response.json({ access_token: 'T' }));
        });
      };
      const source = create({ fetch, seen: [] });
      const { signal, abort } = abortable();
      const left = ask(source, { signal });
      await turns();
      abort();
      await expect(left).rejects.toThrow('aborted');
      const [first, second] = [abortable(), abortable()];
      const joined = [first, second].map(({ signal: mine }) => ask(source, { signal: mine }).catch(() => 'left'));
      await turns();
      expect(signals).toHaveLength(1);
      jest.advanceTimersByTime(60_000);
      first.abort();
      await turns();
      expect(signals[0]?.aborted).toBe(false);
      second.abort();
      await turns();
      expect(signals[0]?.aborted).toBe(true);
      expect(await Promise.all(joined)).toEqual(['left', 'left']);
      await expect(ask(source)).resolves.toMatchObject({ access_token: 'T' });
    } finally {
      jest.useRealTimers();
    }
  });

  it('should have its exchange brought to its end by the stream, though it outlives those 5 s', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    try {
      const { answer } = rotating();
      const endpoint = fakeEndpoint(async (seen) => {
        await new Promise((resolve) => setTimeout(resolve, 14_000));
        return answer(seen);
      });
      const stored: string[] = [];
      const source = create(endpoint, { onRotate: ({ refresh_token }) => void stored.push(refresh_token) });
      const token$ = createTokenStream(source);
      const leaver = token$.subscribe();
      await jest.advanceTimersByTimeAsync(100);
      leaver.unsubscribe();
      await jest.advanceTimersByTimeAsync(14_000);
      expect(stored).toEqual(['r2']);
      expect((await firstValueFrom(token$)).value).toBe('T2');
      expect(used(endpoint)).toEqual(['r1']);
      token$.close();
    } finally {
      jest.useRealTimers();
    }
  });

  it('should leave an exchange that hangs to those who stay', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    try {
      const signals: AbortSignal[] = [];
      const fetch: typeof globalThis.fetch = (_url, init) => {
        signals.push(init?.signal as AbortSignal);
        return new Promise(() => undefined);
      };
      const source = create({ fetch, seen: [] });
      const [leaver, stayer] = [abortable(), abortable()];
      const both = [leaver, stayer].map(({ signal }) => ask(source, { signal }).catch(() => undefined));
      await turns();
      leaver.abort();
      await both[0];
      jest.advanceTimersByTime(60_000);
      expect(signals[0]?.aborted).toBe(false);
      stayer.abort();
      await both[1];
      jest.advanceTimersByTime(5000);
      expect(signals[0]?.aborted).toBe(true);
    } finally {
      jest.useRealTimers();
    }
  });

  it('should be known for the one on whose behalf the request is sent', async () => {
    const fetchers: unknown[] = [];
    const fetch: typeof globalThis.fetch = (_url, init) => {
      fetchers.push(fetcherBehind(init?.signal));
      return Promise.resolve(Response.json({ access_token: 'T' }));
    };
    const fetcher = {};
    const signal = Object.assign(new AbortController().signal, { [ON_BEHALF_OF]: fetcher });
    await ask(create({ fetch, seen: [] }), { signal });
    expect(fetchers).toHaveLength(1);
    expect(fetchers[0]).toBe(fetcher);
  });
});

describe('onRotate', () => {
  it('should have its failure told to who asked, though they left', async () => {
    const { signal, abort } = abortable();
    const report = jest.fn();
    const source = create(rotating().endpoint, { onRotate: () => Promise.reject(new Error('disk full')) });
    const left = ask(source, { signal, report }).catch(() => 'left');
    abort();
    expect(await left).toBe('left');
    await turns();
    expect(report).toHaveBeenCalledTimes(1);
  });

  it('should finish before anyone sees the new token', async () => {
    const { endpoint } = rotating();
    const stored = deferred<undefined>();
    const steps: string[] = [];
    const source = create(endpoint, {
      onRotate: ({ refresh_token, access_token }) => (steps.push(refresh_token, access_token), stored.promise),
    });
    const token = ask(source).then(() => steps.push('seen'));
    await turns();
    expect(steps).toEqual(['r2', 'T2']);
    stored.resolve(undefined);
    await token;
    expect(steps).toEqual(['r2', 'T2', 'seen']);
  });

  it.each<[string, () => unknown]>([
    ['nothing', () => undefined],
    ['a number', () => 7],
    ['an Observable', () => of(1, 2)],
    ['an empty array', () => []],
    ['an object that nobody can wait for', () => ({ affectedRows: 1 })],
    ['null', () => null],
  ])('should be content with a function that returns %s', async (_what, onRotate) => {
    const report = jest.fn();
    await ask(create(rotating().endpoint, { onRotate: onRotate as never }), { report });
    expect(report).not.toHaveBeenCalled();
  });

  it('should wait for an Observable to complete', async () => {
    const storing = new Subject<void>();
    let seen = false;
    const token = ask(create(rotating().endpoint, { onRotate: () => storing })).then(() => (seen = true));
    await turns();
    storing.next();
    await turns();
    expect(seen).toBe(false);
    storing.complete();
    await token;
  });

  it('should not be called for a refresh token that stayed', async () => {
    const onRotate = jest.fn();
    const source = create(
      fakeEndpoint((_seen, index) => ({ access_token: 'T', refresh_token: index === 0 ? 'r1' : 'r2' })),
      { onRotate },
    );
    await ask(source);
    expect(onRotate).not.toHaveBeenCalled();
    await ask(source);
    await ask(source);
    expect(onRotate).toHaveBeenCalledTimes(1);
  });

  it.each<[string, () => never]>([
    [
      'throws',
      () => {
        throw Object.assign(new Error('cannot write r2'), { code: 'EACCES' });
      },
    ],
    ['rejects', () => Promise.reject(Object.assign(new Error('cannot write r2'), { code: 'EACCES' })) as never],
    [
      'errors',
      () => throwError(() => Object.assign(new Error('cannot write r2'), { code: 'EACCES', token: 'r2' })) as never,
    ],
  ])(
    'should when it %s leave the new token in use, be reported without a secret, and be asked again',
    async (_how, fail) => {
      const endpoint = fakeEndpoint((_seen, index) =>
        index === 0 ? { access_token: 'T2', refresh_token: 'r2' } : { access_token: 'T3' },
      );
      const onRotate = jest.fn().mockImplementationOnce(fail);
      const reported: unknown[] = [];
      const report = (failure: unknown) => reported.push(failure);
      const source = create(endpoint, { onRotate });
      await expect(ask(source, { report })).resolves.toMatchObject({ access_token: 'T2' });
      const failure = reported[0];
      expect(failure).toMatchObject({
        message: expect.stringContaining('onRotate failed') as string,
        cause: { code: 'EACCES' },
      });
      expect(inspect(failure, { showHidden: true, depth: 10 })).not.toContain('r2');
      await ask(source, { report });
      expect(used(endpoint)).toEqual(['r1', 'r2']);
      expect(onRotate.mock.calls.map(([{ refresh_token }]: [{ refresh_token: string }]) => refresh_token)).toEqual([
        'r2',
        'r2',
      ]);
      expect(reported).toHaveLength(1);
    },
  );

  it('should be called with one rotation after another, so that a slow one never comes after a newer', async () => {
    const { endpoint } = rotating();
    const [slow, steps] = [deferred<undefined>(), [] as string[]];
    const onRotate = async ({ refresh_token }: { refresh_token: string }) => {
      steps.push(`begin ${refresh_token}`);
      if (refresh_token === 'r2') await slow.promise;
      steps.push(`end ${refresh_token}`);
    };
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    try {
      const report = jest.fn();
      const source = create(endpoint, { onRotate });
      const { signal, abort } = abortable();
      const left = ask(source, { signal, report }).catch(() => 'left');
      await turns();
      abort();
      await left;
      await jest.advanceTimersByTimeAsync(5000);
      expect(report.mock.calls).toEqual([
        [expect.objectContaining({ message: expect.stringContaining('onRotate has not finished') as string })],
      ]);
      // The token that was held back has waited long enough.
      expect((await ask(source)).access_token).toBe('T2');
      const next = ask(source).then(() => steps.push('seen'));
      await turns();
      expect(used(endpoint)).toEqual(['r1', 'r2']);
      expect(steps).toEqual(['begin r2']);
      slow.resolve(undefined);
      await next;
      expect(steps).toEqual(['begin r2', 'end r2', 'begin r3', 'end r3', 'seen']);
      expect(report).toHaveBeenCalledTimes(1);
    } finally {
      jest.useRealTimers();
    }
  });

  it.each([1000, 10_000])(
    'should not keep the token for ever from those who want it when it never ends: with a fetchTimeout of %p ms',
    async (fetchTimeout) => {
      jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
      try {
        const { endpoint } = rotating();
        const token$ = createTokenStream(create(endpoint, { onRotate: () => NEVER }), { fetchTimeout });
        const failures: unknown[] = [];
        token$.events.subscribe(
          (event) => event.type === 'refreshFailed' && failures.push((event.error as Error).message),
        );
        const token = firstValueFrom(token$);
        await jest.advanceTimersByTimeAsync(29_000);
        expect((await token).value).toBe('T2');
        expect(used(endpoint)).toEqual(['r1']);
        expect(failures).toContainEqual(expect.stringMatching(/^onRotate has not finished/));
        token$.close();
      } finally {
        jest.useRealTimers();
      }
    },
  );

  it('should not be called a second time for a refresh token that it is storing', async () => {
    const stored = deferred<undefined>();
    const onRotate = jest.fn(() => stored.promise);
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    try {
      const source = create(
        fakeEndpoint((_seen, index) =>
          index === 0 ? { access_token: 'T2', refresh_token: 'r2' } : { access_token: 'T3' },
        ),
        { onRotate },
      );
      await askAndLeave(source);
      await jest.advanceTimersByTimeAsync(5000);
      const next = ask(source);
      await turns();
      stored.resolve(undefined);
      await next;
      await ask(source);
      expect(onRotate).toHaveBeenCalledTimes(1);
    } finally {
      jest.useRealTimers();
    }
  });

  it('should be called once, and its failure be told once, for the refresh token of a sign-in', async () => {
    const stored = deferred<undefined>();
    const [report, onRotate] = [jest.fn(), jest.fn(() => stored.promise)];
    const source = create(
      fakeEndpoint(() => refuse(400, 'invalid_grant')),
      { onRotate, reauthenticate: () => of({ access_token: 'T2', refresh_token: 'r2' }) },
    );
    const token = ask(source, { report });
    await turns();
    stored.reject(new Error('disk full'));
    expect((await token).access_token).toBe('T2');
    await turns();
    expect([onRotate.mock.calls.length, report.mock.calls.length]).toEqual([1, 1]);
  });

  it('should be harmless without anyone to report to', async () => {
    await expect(
      ask(create(rotating().endpoint, { onRotate: () => Promise.reject(new Error('no')) })),
    ).resolves.toMatchObject({ access_token: 'T2' });
  });
});

describe('a refresh token that a function reads', () => {
  it('should be read when it is first needed, and then kept', async () => {
    const { endpoint } = rotating();
    const read = jest.fn(() => Promise.resolve('r1'));
    const source = create(endpoint, { refreshToken: read });
    expect(read).not.toHaveBeenCalled();
    await ask(source);
    await ask(source);
    expect(read).toHaveBeenCalledTimes(1);
    expect(used(endpoint)).toEqual(['r1', 'r2']);
  });

  it('should be read again when the server refuses it: another process may have rotated it', async () => {
    let stored = 'old';
    const endpoint = fakeEndpoint(({ form }) =>
      form.refresh_token === 'new' ? { access_token: 'T' } : refuse(400, 'invalid_grant'),
    );
    const source = create(endpoint, { refreshToken: () => [stored] });
    await expect(ask(source)).rejects.toMatchObject({ error: 'invalid_grant' });
    stored = 'new';
    await expect(ask(source)).resolves.toMatchObject({ access_token: 'T' });
    expect(used(endpoint)).toEqual(['old', 'old', 'new']);
  });

  it.each([
    ['a string', 'r1'],
    ['a function that nobody tells of the new one', () => ['r1']],
  ])('should not be taken for news when it is %s: it was used long ago', async (_what, refreshToken) => {
    const endpoint = fakeEndpoint(({ form }) =>
      form.refresh_token === 'r1' ? { access_token: 'T2', refresh_token: 'r2' } : refuse(400, 'invalid_grant'),
    );
    const source = create(endpoint, { refreshToken });
    await ask(source);
    await expect(ask(source)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(used(endpoint)).toEqual(['r1', 'r2']);
  });

  it('should be read again after a failure to read', async () => {
    const read = jest.fn().mockRejectedValueOnce(new Error('locked')).mockResolvedValue('r1');
    const source = create(rotating().endpoint, { refreshToken: read });
    await expect(ask(source)).rejects.toThrow('locked');
    await expect(ask(source)).resolves.toMatchObject({ access_token: 'T2' });
  });
});

describe('an exchange that outlives its caller', () => {
  it('should give a token whose life counts from when its request was sent, to the millisecond', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    try {
      const endpoint = fakeEndpoint(async () => {
        await new Promise((resolve) => setTimeout(resolve, 1700));
        return { access_token: 'T1', expires_in: 60, refresh_token: 'r2' };
      });
      const started = Date.now();
      // 40 ms until the refresh token is read: so long nothing was sent.
      const refreshToken = () => timer(40).pipe(map(() => 'r1'));
      const token$ = createTokenStream(create(endpoint, { refreshToken }), {
        fetchTimeout: 1000,
        backoff: { initial: 100, max: 100 },
      });
      const token = firstValueFrom(token$);
      for (let i = 0; i < 200; i++) await jest.advanceTimersByTimeAsync(10);
      const { issuedAt, expiresAt, raw } = await token;
      expect(endpoint.seen).toHaveLength(1);
      expect([issuedAt - started, expiresAt - started, raw]).toEqual([
        40,
        60_040,
        { access_token: 'T1', expires_in: 60, refresh_token: 'r2' },
      ]);
      token$.close();
    } finally {
      jest.useRealTimers();
    }
  });

  it('should not make the token of whoever asked first look older than the request', async () => {
    const request = { reason: 'initial', attempt: 1, previous: null, signal: new AbortController().signal } as const;
    await firstValueFrom(from(create(rotating().endpoint)(request)));
    expect(headStartOf(request)).toBe(0);
  });
});

describe('invalid_grant', () => {
  const ended = () =>
    fakeEndpoint(({ form }) =>
      form.refresh_token === 'r9' ? { access_token: 'T9', refresh_token: 'r10' } : refuse(400, 'invalid_grant'),
    );

  it('should be an error that the stream takes for permanent', async () => {
    await expect(ask(create(ended()))).rejects.toMatchObject({
      name: 'TokenEndpointError',
      status: 400,
      error: 'invalid_grant',
    });
  });

  it('should ask for another way to get tokens, and go on with the refresh token of that', async () => {
    const onRotate = jest.fn();
    const endpoint = ended();
    const source = create(endpoint, {
      onRotate,
      reauthenticate: () => of({ access_token: 'T8', refresh_token: 'r9' }),
    });
    await expect(ask(source)).resolves.toMatchObject({ access_token: 'T8' });
    await expect(ask(source)).resolves.toMatchObject({ access_token: 'T9' });
    expect(used(endpoint)).toEqual(['r1', 'r9']);
    expect(onRotate.mock.calls.map(([{ refresh_token }]: [{ refresh_token: string }]) => refresh_token)).toEqual([
      'r9',
      'r10',
    ]);
  });

  it.each([
    [{ access_token: 'T8', refresh_token: null }],
    [{ access_token: 'T8', refresh_token: 7 }],
    [{ access_token: 'T8', refresh_token: '' }],
  ])('should leave it to the stream to judge what that gives: %j', async (response) => {
    const onRotate = jest.fn();
    const endpoint = ended();
    const source = create(endpoint, { onRotate, reauthenticate: () => of(response as unknown as TokenResponse) });
    await expect(ask(source)).resolves.toEqual(response);
    expect(onRotate).not.toHaveBeenCalled();
  });

  it.each([
    ['a string', 'r1'],
    ['a function', () => 'r1'],
  ])('should not send the refused one again after a sign-in that brings no other: %s', async (_what, refreshToken) => {
    const endpoint = ended();
    const reauthenticate = jest.fn(() => of({ access_token: 'T8' }));
    const source = create(endpoint, { refreshToken, reauthenticate });
    for (let i = 0; i < 3; i++) await ask(source);
    expect(await ask(source, { last: { access_token: 'T0', refresh_token: 'r1' } })).toEqual({ access_token: 'T8' });
    expect([used(endpoint), reauthenticate.mock.calls.length]).toEqual([['r1'], 4]);
  });

  it('should send one again that asked for consent only, after a sign-in that brings no other', async () => {
    let asked = 0;
    const endpoint = fakeEndpoint(() => (++asked === 1 ? refuse(400, 'consent_required') : { access_token: 'T2' }));
    const source = create(endpoint, { reauthenticate: () => of({ access_token: 'T8' }) });
    expect((await ask(source)).access_token).toBe('T8');
    expect((await ask(source)).access_token).toBe('T2');
    expect(used(endpoint)).toEqual(['r1', 'r1']);
  });

  it('should use one that is stored after a sign-in that brought none', async () => {
    let stored = 'r1';
    const endpoint = ended();
    const source = create(endpoint, { refreshToken: () => stored, reauthenticate: () => of({ access_token: 'T8' }) });
    await ask(source);
    stored = 'r9';
    expect((await ask(source)).access_token).toBe('T9');
    expect(used(endpoint)).toEqual(['r1', 'r9']);
  });

  it('should fail with what that failed with', async () => {
    await expect(
      ask(create(ended(), { reauthenticate: () => throwError(() => new Error('the user left')) })),
    ).rejects.toThrow('the user left');
  });

  it('should be known by its name, though a parameter of the request is a piece of that', async () => {
    const source = create(ended(), { parameters: { country: 'in' }, reauthenticate: () => of({ access_token: 'T8' }) });
    await expect(ask(source)).resolves.toMatchObject({ access_token: 'T8' });
  });

  it.each<[string, number, object]>([
    ['Atlassian', 403, { error: 'unauthorized_client', error_description: 'refresh_token is invalid' }],
    ['Baidu', 400, { error: 'expired_token', error_description: 'refresh token has been used' }],
    ['better-auth', 400, { error: 'invalid_request', error_description: 'session not found' }],
    ['better-auth', 400, { error: 'invalid_request', error_description: 'token revoked' }],
    ['Cognito', 400, { __type: 'RefreshTokenReuseException', message: 'Refresh token has been reused' }],
    ['DeviantArt', 400, { error: 'invalid_request', error_description: 'The refresh_token is invalid.' }],
    ...['is expired', 'is blacklisted', 'is invalid or expired'].map((words): [string, number, object] => [
      `Django (${words})`,
      401,
      { detail: `Token ${words}`, code: 'token_not_valid' },
    ]),
    ['EVE Online', 400, { error: 'invalid_grant: Token is expired or invalid.' }],
    ['Exact Online', 401, { error: 'unauthorized_client', error_description: 'Old refresh token used.' }],
    ...['INVALID_REFRESH_TOKEN', 'TOKEN_EXPIRED', 'USER_DISABLED', 'USER_NOT_FOUND'].map(
      (message): [string, number, object] => [
        `Firebase (${message})`,
        400,
        { error: { code: 400, message, status: 'INVALID_ARGUMENT' } },
      ],
    ),
    ['Fitbit', 400, { errors: [{ errorType: 'invalid_grant', message: 'Refresh token invalid: r1.' }] }],
    ['Flask', 401, { msg: 'Token has expired' }],
    ['Gitea', 400, { error: 'unauthorized_client', error_description: 'token was already used' }],
    ['Gitea', 400, { error: 'unauthorized_client', error_description: 'unable to parse refresh token' }],
    ['HubSpot', 400, { status: 'BAD_REFRESH_TOKEN', message: 'missing or invalid refresh token' }],
    ['HubSpot', 400, { status: 'BAD_REFRESH_TOKEN', message: 'missing or unknown hub' }],
    ['Laravel', 401, { message: 'The token has been blacklisted' }],
    [
      'LinkedIn',
      400,
      { error: 'invalid_request', error_description: 'The token used in the request has been revoked' },
    ],
    ...[
      'refresh_token_reused',
      'refresh_token_invalidated',
      'refresh_token_already_used',
      'refresh_token_not_found',
    ].map((code): [string, number, object] => [
      `OpenAI or Supabase (${code})`,
      401,
      { error: { message: 'No.', code } },
    ]),
    [
      'OpenAI',
      401,
      { error: { message: 'Your session has ended. Please log in again.', code: 'app_session_terminated' } },
    ],
    ['Ory Hydra', 401, { error: 'token_inactive', error_description: 'Token is inactive because it is malformed.' }],
    ['Shopify', 401, { error: 'invalid_request', error_description: 'This request requires an active refresh_token' }],
    ['Strava', 400, { errors: [{ resource: 'RefreshToken', field: 'refresh_token', code: 'invalid' }] }],
    ['Supabase', 400, { error_code: 'refresh_token_already_used', msg: 'Invalid Refresh Token: Already Used' }],
    ['Supabase', 400, { error_code: 'refresh_token_not_found', msg: 'Invalid Refresh Token: Refresh Token Not Found' }],
    ['Supabase', 403, { code: 'session_not_found', message: 'Session from session_id claim in JWT does not exist' }],
    ['Twitch', 400, { status: 400, message: 'Invalid refresh token' }],
    ['a server that answers 200', 200, { success: false, message: 'Refresh token has expired' }],
    ['X', 400, { error: 'invalid_request', error_description: 'Value passed for the token was invalid.' }],
    ['Zitadel', 400, { error: 'invalid_request', error_description: 'Errors.OIDCSession.RefreshTokenInvalid' }],
    ['Zoom', 401, { reason: 'Invalid Token!', error: 'invalid_request' }],
    ['Withings', 200, { status: 503, error: 'Invalid Params: invalid refresh_token' }],
  ])('should be read in the words of %s', async (_server, status, body) => {
    const endpoint = fakeEndpoint(() => Response.json(body, { status }));
    await expect(ask(create(endpoint))).rejects.toMatchObject({ status, error: 'invalid_grant' });
    const source = create(endpoint, { reauthenticate: () => of({ access_token: 'T8' }) });
    await expect(ask(source)).resolves.toMatchObject({ access_token: 'T8' });
  });

  it.each<[string, number, object | string]>([
    ['a parameter that is missing', 400, { error: 'invalid_request', message: 'Missing parameters: refresh_token' }],
    ['a request that lacks it', 400, { message: 'bad request refresh token is missing' }],
    ['a request that is a bad one', 400, { error: 'Bad Request', refresh_token: 'missing' }],
    ['a path to what is not there', 400, { path: '/auth/refresh-token', message: 'Client not found' }],
    ['a session that is being made', 400, { error: 'invalid_request', message: 'session_state is not supported' }],
    ['a wrong API key', 400, { error: { code: 400, message: 'API key expired. Please renew the API key.' } }],
    ['an access token', 400, { error: 'invalid_request', reason: 'Invalid access token' }],
    ['an access token', 401, { message: 'The access token has expired' }],
    ['a token of a form', 403, { message: 'The CSRF token is invalid. Please try to resubmit the form.' }],
    ['a grant that is not supported', 400, { error: 'Unsupported grant_type: refresh_token' }],
    ['a path', 400, { error: 'Bad Request', path: '/auth/refresh-token' }],
    ['a rate limit', 429, { message: 'too many requests with an invalid refresh token' }],
    ['a server in trouble', 500, { message: 'invalid refresh token cache' }],
    ['a server that asks to come back', 400, { error: 'temporarily_unavailable', message: 'invalid refresh token' }],
    ['a client that is unknown', 401, { error: 'invalid_client', error_description: 'expired: refresh token client' }],
    [
      'a grant that the client may not use',
      400,
      { error: 'unauthorized_client', error_description: 'refresh_token may not be used by this client' },
    ],
    ['a code that was used', 400, { error: 'invalid_request', message: 'The code has already been used' }],
    ['a wrong grant type', 400, { error: 'unsupported_grant_type', error_description: 'Invalid grant type' }],
  ])('should not be read in the words of %s', async (_what, status, body) => {
    const reauthenticate = jest.fn();
    const endpoint = fakeEndpoint(() => Response.json(body, { status }));
    await expect(ask(create(endpoint, { reauthenticate }))).rejects.toMatchObject({ status });
    expect(reauthenticate).not.toHaveBeenCalled();
  });

  it('should not be read in what ServiceNow says of a wrong secret and of a dead refresh token alike', async () => {
    const reauthenticate = jest.fn();
    const body = { error: 'server_error', error_description: 'access_denied' };
    const source = create(
      fakeEndpoint(() => Response.json(body, { status: 401 })),
      { reauthenticate },
    );
    const failure: unknown = await ask(source).catch((error: unknown) => error);
    expect(failure).toMatchObject({ status: 401, error: 'access_denied' });
    expect(isPermanentFailure(failure)).toBe(true);
    expect(reauthenticate).not.toHaveBeenCalled();
  });

  it('should be the only error that asks', async () => {
    const reauthenticate = jest.fn();
    await expect(
      ask(
        create(
          fakeEndpoint(() => refuse(401, 'invalid_client')),
          { reauthenticate },
        ),
      ),
    ).rejects.toMatchObject({ error: 'invalid_client' });
    expect(reauthenticate).not.toHaveBeenCalled();
  });
});

describe('an onRotate that never ends', () => {
  afterEach(() => jest.useRealTimers());

  it('should keep the next refresh token from being stored for 30 s', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'queueMicrotask', 'nextTick'] });
    const stored: string[] = [];
    const endpoint = fakeEndpoint(({ form }) => {
      const next = String(Number(form.refresh_token?.slice(1)) + 1);
      return { access_token: `T${next}`, refresh_token: `r${next}` };
    });
    const source = refreshToken({
      tokenEndpoint: 'https://id.example.com/token',
      clientId: 'cli',
      clientAuth: 'none',
      refreshToken: 'r1',
      onRotate: ({ refresh_token }) => (stored.push(refresh_token) === 1 ? NEVER : of(undefined)),
      fetch: endpoint.fetch,
    });
    const reported: unknown[] = [];
    const first = ask(source, { report: (failure) => void reported.push(failure) });
    await turns();
    jest.advanceTimersByTime(30_000);
    expect((await first).access_token).toBe('T2');
    expect(String(reported)).toContain('onRotate failed');
    expect((await ask(source)).access_token).toBe('T3');
    expect(stored).toEqual(['r2', 'r3']);
  });

  it('should not be called again for the refresh token that it is storing, while a newer one waits', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'queueMicrotask', 'nextTick'] });
    const stored: string[] = [];
    const endpoint = fakeEndpoint((_seen, index) => ({
      access_token: 'T',
      ...(index !== 1 && { refresh_token: index === 0 ? 'r2' : 'r3' }),
    }));
    const source = create(endpoint, {
      onRotate: ({ refresh_token }) => (stored.push(refresh_token) === 1 ? NEVER : of(undefined)),
    });
    for (let round = 0; round < 3; round++) {
      await askAndLeave(source);
      await jest.advanceTimersByTimeAsync(5000);
      await ask(source); // gets the token that was held back
    }
    expect([used(endpoint), stored]).toEqual([['r1', 'r2', 'r2'], ['r2']]);
    await jest.advanceTimersByTimeAsync(15_000);
    expect(stored).toEqual(['r2', 'r3']);
  });
});

describe('an onRotate that takes long', () => {
  afterEach(() => jest.useRealTimers());

  it('should not be called again for what is on its way', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'queueMicrotask', 'nextTick'] });
    const onRotate = jest.fn(() => timer(20_000));
    const endpoint = fakeEndpoint((_seen, index) => ({
      access_token: 'T',
      ...(index === 0 && { refresh_token: 'r2' }),
    }));
    const source = create(endpoint, { onRotate });
    await askAndLeave(source);
    await jest.advanceTimersByTimeAsync(6000);
    await ask(source); // gets the token that is there already
    const next = ask(source);
    await turns();
    await jest.advanceTimersByTimeAsync(20_000);
    await next;
    expect([used(endpoint), onRotate.mock.calls.length]).toEqual([['r1', 'r2'], 1]);
  });
});
