import { EMPTY, firstValueFrom, from, map, NEVER, of, throwError, timer, type Observable } from 'rxjs';
import { headStartOf } from '../../src/internal/hiddenMembers.js';
import type { RefreshTokenOptions } from '../../src/oauth/options.js';
import { refreshToken } from '../../src/oauth/refreshToken.js';
import { createTokenStream } from '../../src/token/tokenStream.js';
import type { TokenResponse } from '../../src/token/types.js';
import { ask, askAndLeave, deferred, fakeEndpoint, refuse, turns } from './fakeEndpoint.js';

const base = {
  tokenEndpoint: 'https://id.example/token',
  clientId: 'cli',
  clientAuth: 'none',
  refreshToken: 'r1',
} as const;
const pass = async (ms: number) => {
  for (let passed = 0; passed < ms; passed += 50) await jest.advanceTimersByTimeAsync(50);
};

/** A server that knows the refresh tokens of sign-ins, `n1`, `n2` …, and no others. */
function setUp(more: Partial<RefreshTokenOptions>) {
  const endpoint = fakeEndpoint(({ form }) =>
    form.refresh_token?.startsWith('n')
      ? { access_token: `of-${form.refresh_token}`, expires_in: 60 }
      : refuse(400, 'invalid_grant'),
  );
  return {
    endpoint,
    source: refreshToken({ ...base, fetch: endpoint.fetch, ...more }),
    used: () => endpoint.seen.map(({ form }) => form.refresh_token),
  };
}

/** Prompts that take their time. */
function prompting(ms: number, more: object = {}) {
  const prompts = { count: 0 };
  const reauthenticate = (): Observable<TokenResponse> => {
    const n = ++prompts.count;
    return timer(ms).pipe(
      map(() => ({ access_token: `signed-in-${String(n)}`, refresh_token: `n${String(n)}`, expires_in: 600, ...more })),
    );
  };
  return { prompts, reauthenticate };
}

describe('a sign-in that takes longer than anyone waits', () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
  afterEach(() => void jest.useRealTimers());

  it.each([
    ['the defaults', {}, 16_000],
    ['a fetchTimeout of a second', { fetchTimeout: 1000, backoff: { initial: 100, max: 100 }, random: () => 0 }, 9000],
    // It ends in a pause, in which nobody waits at the source.
    [
      'a fetchTimeout of a second, and pauses longer than the grace',
      { fetchTimeout: 1000, backoff: { initial: 6000, max: 6000 }, random: () => 0.99 },
      20_000,
    ],
  ])('should be one prompt, whose result is kept: with %s', async (_what, options, duration) => {
    const stored: string[] = [];
    const { prompts, reauthenticate } = prompting(duration);
    const { source, used } = setUp({
      reauthenticate,
      onRotate: ({ refresh_token }) => void stored.push(refresh_token),
    });
    const token$ = createTokenStream(source, options);
    const asked = Date.now();
    const token = firstValueFrom(token$);
    await pass(duration + 7000);
    const { value, issuedAt } = await token;
    expect([value, prompts.count, stored, used()]).toEqual(['signed-in-1', 1, ['n1'], ['r1']]);
    expect(issuedAt - asked).toBe(0); // it may be as old as the sign-in
    token$.close();
  });

  it('should be stored and used when it ends though everybody has left, the stream too', async () => {
    const stored: string[] = [];
    const { prompts, reauthenticate } = prompting(120_000);
    const { source, used } = setUp({
      reauthenticate,
      onRotate: ({ refresh_token }) => void stored.push(refresh_token),
    });
    const token$ = createTokenStream(source, { maxWait: 5000, fetchTimeout: 1000 });
    const token = firstValueFrom(token$.refresh()).catch((error: unknown) => (error as Error).name);
    await pass(6000);
    expect(await token).toBe('TokenUnavailableError');
    token$.close();
    await pass(120_000);
    expect(stored).toEqual(['n1']);
    for (const expected of ['signed-in-1', 'of-n1']) expect((await ask(source)).access_token).toBe(expected);
    expect([prompts.count, used()]).toEqual([1, ['r1', 'n1']]);
  });

  it('should leave in use the refresh token that a store brings meanwhile, if it brings none', async () => {
    const { prompts, reauthenticate } = prompting(60_000, { refresh_token: undefined });
    const { source, used } = setUp({ reauthenticate });
    await askAndLeave(source);
    await pass(10_000);
    const next = ask(source, { last: { access_token: 'T0', refresh_token: 'n9' } });
    await pass(60_000);
    expect((await next).access_token).toBe('signed-in-1');
    expect((await ask(source)).access_token).toBe('of-n9');
    expect([prompts.count, used()]).toEqual([1, ['r1', 'n9']]);
  });

  const jwtSince = (iat: number) => `e30.${btoa(JSON.stringify({ iat, exp: iat + 600 })).replace(/=/g, '')}.s`;
  const jwt = jwtSince(1_000_000);
  const jwtOfNow = jwtSince(Math.round(Date.now() / 1000));
  it.each<[string, object, number, string]>([
    ['kept for who asks next, if there is no other way to it', { refresh_token: undefined }, 0, 'signed-in-1'],
    ['handed out as old as it is', { refresh_token: undefined }, 300_000, 'signed-in-1'],
    [
      'handed out, if nobody knows its life',
      { refresh_token: undefined, expires_in: undefined },
      300_000,
      'signed-in-1',
    ],
    ['asked for again once it is over', { refresh_token: undefined }, 600_000, 'signed-in-2'],
    ...['', 'soon', '3600s', Number.NaN, true].map((life): [string, object, number, string] => [
      `handed out, if nobody can read its life: ${JSON.stringify(life)}`,
      { refresh_token: undefined, expires_in: life },
      300_000,
      'signed-in-1',
    ]),
    [
      'handed out, if its JWT is not over',
      { refresh_token: undefined, expires_in: undefined, access_token: jwt },
      300_000,
      jwt,
    ],
    [
      'handed out, if its JWT is not over, by a clock like ours',
      { refresh_token: undefined, expires_in: undefined, access_token: jwtOfNow },
      180_000,
      jwtOfNow,
    ],
  ])('should be %s', async (_what, response, wait, expected) => {
    const { prompts, reauthenticate } = prompting(60_000, response);
    const { source } = setUp({ reauthenticate });
    const controller = new AbortController();
    const left = ask(source, { signal: controller.signal }).catch(() => 'left');
    await turns();
    controller.abort();
    expect(await left).toBe('left');
    await pass(60_000 + wait);
    const request = { reason: 'initial', attempt: 1, previous: null, signal: new AbortController().signal } as const;
    const next = firstValueFrom(from(source(request))) as Promise<TokenResponse>;
    await turns();
    if (prompts.count > 1) await pass(61_000);
    expect((await next).access_token).toBe(expected);
    if (prompts.count === 1) expect(headStartOf(request)).toBe(60_000 + wait);
    // Once it was handed out it is nobody else's.
    const after = ask(source);
    await pass(61_000);
    expect((await after).access_token).toBe(
      expected.startsWith('e30') ? expected : `signed-in-${String(prompts.count)}`,
    );
    expect(prompts.count).toBe(expected === 'signed-in-2' ? 3 : 2);
  });

  it('should be asked for again once its JWT is over: nobody shall send a token that is known to be stale', async () => {
    const { prompts, reauthenticate } = prompting(60_000, {
      refresh_token: undefined,
      expires_in: undefined,
      access_token: jwt,
    });
    const { source } = setUp({ reauthenticate });
    await askAndLeave(source);
    await pass(600_000);
    const next = ask(source);
    await pass(61_000);
    await next;
    expect(prompts.count).toBe(2);
  });

  it('should not begin when nobody waits any more: the function `refreshToken` took too long', async () => {
    const { prompts, reauthenticate } = prompting(1000);
    const read = jest.fn<Observable<string>, []>(() => NEVER).mockReturnValueOnce(of('r1'));
    const { source, used } = setUp({ refreshToken: read, reauthenticate });
    await askAndLeave(source);
    await pass(10_000);
    expect([read.mock.calls.length, used(), prompts.count]).toEqual([2, ['r1'], 0]);
  });

  it('should be begun anew when it failed, though nobody waited', async () => {
    const reauthenticate = jest
      .fn()
      .mockReturnValueOnce(
        timer(20_000).pipe(
          map(() => {
            throw new Error('the user left');
          }),
        ),
      )
      .mockReturnValueOnce(of({ access_token: 'T', refresh_token: 'n1' }));
    const { source } = setUp({ reauthenticate });
    await askAndLeave(source);
    await pass(21_000);
    expect((await ask(source)).access_token).toBe('T');
  });
});

describe('a sign-in', () => {
  const { reauthenticate } = { reauthenticate: () => of({ access_token: 'T', refresh_token: 'n1' }) };

  it('should give its refresh token without the white space with which it was pasted', async () => {
    const stored: string[] = [];
    const { source, used } = setUp({
      reauthenticate: () => of({ access_token: 'T', refresh_token: ' n1\n' }),
      onRotate: ({ refresh_token }) => void stored.push(refresh_token),
    });
    await ask(source);
    await ask(source);
    expect([used(), stored]).toEqual([['r1', 'n1'], ['n1']]);
  });

  it('should be one for all who ask at once', async () => {
    const gate = deferred<TokenResponse>();
    const prompt = jest.fn(() => gate.promise);
    const { source } = setUp({ reauthenticate: prompt });
    const all = Array.from({ length: 20 }, () => ask(source));
    await turns();
    gate.resolve({ access_token: 'T' });
    expect(new Set((await Promise.all(all)).map(({ access_token }) => access_token))).toEqual(new Set(['T']));
    expect(prompt).toHaveBeenCalledTimes(1);
  });

  it.each([[123_456_789], [() => 'secret'], [undefined], ['T1'], [{ access_token: 'secret' }]])(
    'should say what is wrong with a function that returns no stream, and not quote it: %p',
    async (nonsense) => {
      await expect(ask(setUp({ reauthenticate: () => nonsense as never }).source)).rejects.toMatchObject({
        name: 'InvalidTokenResponseError',
        message: 'reauthenticate must return a Promise, an Observable or the like',
      });
    },
  );

  it.each<[string, () => unknown]>([
    ['returns nothing', () => undefined],
    ['returns tokens that are in nothing RxJS can read', () => ({ access_token: 'T' })],
    ['gives nothing', () => Promise.resolve()],
    ['gives nothing, as a dialog that was dismissed', () => EMPTY],
    [
      'gives a Response, whose refresh token would be lost',
      () => Promise.resolve(Response.json({ access_token: 'T' })),
    ],
    ['gives the result of another library', () => of({ accessToken: 'T' })],
  ])('should not be begun again when its function %s: that is a mistake', async (_what, give) => {
    const prompt = jest.fn(give);
    const token$ = createTokenStream(setUp({ reauthenticate: prompt as never }).source);
    await expect(firstValueFrom(token$)).rejects.toThrow('failed permanently');
    expect(prompt).toHaveBeenCalledTimes(1);
  });

  it.each<[string, () => never]>([
    [
      'throws',
      () => {
        throw new Error('no terminal yet');
      },
    ],
    ['returns nothing', () => undefined as never],
    ['fails at once', () => throwError(() => new Error('no terminal yet')) as never],
    ['rejects', () => Promise.reject(new Error('no terminal yet')) as never],
  ])('should be begun anew by the next attempt when its function %s', async (_how, fail) => {
    const prompt = jest.fn(reauthenticate).mockImplementationOnce(fail);
    const { source, used } = setUp({ reauthenticate: prompt });
    await expect(ask(source)).rejects.toThrow();
    expect((await ask(source)).access_token).toBe('T');
    expect([prompt.mock.calls.length, used()]).toEqual([2, ['r1', 'r1']]);
  });

  it.each<[number, string]>([
    [200, 'bad_refresh_token'], // GitHub says so with 200
    [400, 'invalid_grant'],
    [400, 'invalid_refresh_token'],
    [400, 'invalid_code'],
    [400, 'login_required'],
    [400, 'interaction_required'],
    [401, 'consent_required'],
    [200, 'account_selection_required'],
    [503, 'invalid_grant'], // a code counts more than a 5xx
  ])('should be asked for once when the server says with %p that the user must sign in: %s', async (status, error) => {
    const prompt = jest.fn(reauthenticate);
    const endpoint = fakeEndpoint(({ form }) =>
      form.refresh_token === 'r1' ? refuse(status, error) : { access_token: 'of-n1' },
    );
    const { source } = setUp({ fetch: endpoint.fetch, reauthenticate: prompt });
    expect((await ask(source)).access_token).toBe('T');
    expect((await ask(source)).access_token).toBe('of-n1');
    expect([prompt.mock.calls.length, endpoint.seen.length]).toEqual([1, 2]);
    await expect(ask(setUp({ fetch: endpoint.fetch }).source)).rejects.toMatchObject({ status, error });
  });

  it.each([408, 409, 410, 412, 421, 425, 429])(
    'should not be asked for when the status %i asks for another try, whatever the code',
    async (status) => {
      const prompt = jest.fn(reauthenticate);
      const endpoint = fakeEndpoint((_request, index) =>
        index === 0 ? refuse(status, 'invalid_grant') : { access_token: 'T2' },
      );
      const { source } = setUp({ fetch: endpoint.fetch, reauthenticate: prompt });
      await expect(ask(source)).rejects.toMatchObject({ status });
      expect((await ask(source)).access_token).toBe('T2');
      expect([prompt.mock.calls.length, endpoint.seen.map(({ form }) => form.refresh_token)]).toEqual([
        0,
        ['r1', 'r1'],
      ]);
    },
  );

  it.each<[number, string]>([
    [200, 'incorrect_client_credentials'],
    [400, 'invalid_scope'],
    [400, 'temporarily_unavailable'],
  ])('should not be asked for when the server refuses with %p for another reason: %s', async (status, error) => {
    const prompt = jest.fn(reauthenticate);
    const endpoint = fakeEndpoint(() => refuse(status, error));
    const { source } = setUp({ fetch: endpoint.fetch, reauthenticate: prompt });
    await expect(ask(source)).rejects.toMatchObject({ status, error });
    expect(prompt).not.toHaveBeenCalled();
  });

  it('should not be asked for when a function of an option fails, though its error looks like a refusal', async () => {
    const prompt = jest.fn(reauthenticate);
    const failure = Object.assign(new Error('the vault is sealed'), { status: 400, error: 'invalid_grant' });
    const { source } = setUp({
      clientAuth: 'private_key_jwt',
      clientAssertion: () => Promise.reject(failure),
      reauthenticate: prompt,
    });
    await expect(ask(source)).rejects.toThrow('the vault is sealed');
    expect(prompt).not.toHaveBeenCalled();
  });

  it('should be asked for when what another process stored is refused too', async () => {
    let reads = 0;
    const { source, used } = setUp({ refreshToken: () => [`r${String(++reads)}`], reauthenticate });
    expect((await ask(source)).access_token).toBe('T');
    expect(used()).toEqual(['r1', 'r2']);
    expect((await ask(source)).access_token).toBe('of-n1');
  });

  it('should be asked for when what is stored cannot be read any more', async () => {
    const read = jest
      .fn()
      .mockReturnValueOnce(['r1'])
      .mockImplementation(() => throwError(() => new Error('gone')));
    expect((await ask(setUp({ refreshToken: read, reauthenticate }).source)).access_token).toBe('T');
    const without = setUp({
      refreshToken: jest
        .fn()
        .mockReturnValueOnce(['r1'])
        .mockImplementation(() => throwError(() => new Error('gone'))),
    });
    await expect(ask(without.source)).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it.each<[string, () => unknown]>([
    ['its file is missing', () => Promise.reject(Object.assign(new Error('no such file'), { code: 'ENOENT' }))],
    [
      'its file is missing, says an Observable',
      () => throwError(() => Object.assign(new Error('no such file'), { code: 'ENOENT' })),
    ],
    ['it is empty', () => ''],
    ['it is the line break of an empty file', () => Promise.resolve('\n')],
    ['it is null, as of localStorage', () => null],
    ['there comes none', () => EMPTY],
  ])(
    'should be asked for where no refresh token is stored yet, and its own be used from then on: %s',
    async (_what, read) => {
      const prompt = jest.fn(reauthenticate);
      const stored: string[] = [];
      const { source, used } = setUp({
        refreshToken: read as never,
        reauthenticate: prompt,
        onRotate: ({ refresh_token }) => void stored.push(refresh_token),
      });
      expect((await ask(source)).access_token).toBe('T');
      expect((await ask(source)).access_token).toBe('of-n1');
      expect([prompt.mock.calls.length, used(), stored]).toEqual([1, ['n1'], ['n1']]);
      await expect(ask(setUp({ refreshToken: read as never }).source)).rejects.toThrow();
    },
  );

  it.each<[string, () => unknown]>([
    ['others may read it', () => Promise.reject(Object.assign(new Error('can be read by others'), { code: 'EACCES' }))],
    ['the place cannot be reached', () => throwError(() => new Error('keychain is locked'))],
    ['it is no string', () => Promise.resolve(7)],
    ['it is of several lines', () => 'r1\nr2\n'],
    ['it is in UTF-16', () => Promise.resolve(Buffer.from('r1', 'utf16le').toString())],
    ['it is nothing that RxJS can read', () => 7],
  ])('should not be asked for where one may be stored that cannot be read: %s', async (_what, read) => {
    const prompt = jest.fn(reauthenticate);
    await expect(ask(setUp({ refreshToken: read as never, reauthenticate: prompt }).source)).rejects.toThrow();
    expect(prompt).not.toHaveBeenCalled();
  });

  it('should not be asked for when what another process stored fails in another way', async () => {
    let reads = 0;
    const prompt = jest.fn();
    const endpoint = fakeEndpoint((_seen, index) =>
      refuse(index === 0 ? 400 : 503, index === 0 ? 'invalid_grant' : undefined),
    );
    await expect(
      ask(setUp({ refreshToken: () => [`r${String(++reads)}`], reauthenticate: prompt, fetch: endpoint.fetch }).source),
    ).rejects.toMatchObject({ status: 503 });
    expect(prompt).not.toHaveBeenCalled();
  });

  it.each(['dpop', 'DPoP', ' DPOP'])(
    'should accept a bound token, however it spells its scheme: %s',
    async (token_type) => {
      const given = { access_token: 'T', token_type, refresh_token: 'n1' };
      expect(await ask(setUp({ dpop: true, reauthenticate: () => of(given) }).source)).toEqual(given);
    },
  );

  it.each(['Bearer', undefined])(
    'should be the last when dpop was asked for and its token is not bound: %p',
    async (token_type) => {
      const prompt = jest.fn(() => of({ access_token: 'T', token_type, refresh_token: 'n1' }));
      const token$ = createTokenStream(setUp({ dpop: true, reauthenticate: prompt }).source);
      await expect(firstValueFrom(token$)).rejects.toMatchObject({
        name: 'TokenUnavailableError',
        cause: { message: expect.stringMatching(/^reauthenticate gave a token that is not bound/) as string },
      });
      expect(prompt).toHaveBeenCalledTimes(1);
      token$.close();
    },
  );

  it('should be the last when it fails with a status that says so: the user said no', async () => {
    const prompt = jest.fn(() => throwError(() => Object.assign(new Error('dismissed'), { status: 403 })));
    const token$ = createTokenStream(setUp({ reauthenticate: prompt }).source);
    await expect(firstValueFrom(token$)).rejects.toMatchObject({
      name: 'TokenUnavailableError',
      cause: { message: 'dismissed' },
    });
    expect(prompt).toHaveBeenCalledTimes(1);
    token$.close();
  });
});
