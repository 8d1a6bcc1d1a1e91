import {
  fakeTokenSource,
  scriptedApi,
  startTokenServer,
  storeContract,
  virtualClock,
  type FakeTokenSourceOptions,
  type ScriptedApiOptions,
  type StoreContractOptions,
  type TokenServerOptions,
} from 'rx-fresh-token/testing';

const messageOf = (make: () => unknown): string => {
  try {
    make();
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as Error).message;
  }
  return '';
};

describe('bad options are named when the fake is made', () => {
  it.each<[unknown, string]>([
    [{ scheduler: {} }, 'option "scheduler" must be an object with a method "schedule", got object'],
    [{ scheduler: null }, 'option "scheduler" must be an object with a method "schedule", got null'],
    [{ now: 5 }, 'option "now" must be a function, got 5'],
    [{ latency: -1 }, 'option "latency" must be a number, at least 0, at most 2147483647, got -1'],
    [{ latency: '5' }, 'option "latency" must be a number, at least 0, at most 2147483647, got "5"'],
    [{ latency: 2 ** 31 }, 'option "latency" must be a number, at least 0, at most 2147483647, got 2147483648'],
    [{ lifetime: NaN }, 'option "lifetime" must be a number, at least 0, or Infinity, got NaN'],
    [{ lifetime: null }, 'option "lifetime" must be a number, at least 0, or Infinity, got null'],
    [
      { steps: 'token' },
      'option "steps" must be an array of "token", "transient", "permanent", "hang", an Error or a token response, got "token"',
    ],
    [
      { steps: ['token', 'tokens'] },
      'option "steps[1]" must be "token", "transient", "permanent", "hang", an Error or a token response, got "tokens"',
    ],
    [200, 'options must be an object'],
    [
      { steps: [{}] },
      'option "steps[0]" must be "token", "transient", "permanent", "hang", an Error or a token response, got object',
    ],
    [
      { steps: [[]] },
      'option "steps[0]" must be "token", "transient", "permanent", "hang", an Error or a token response, got object',
    ],
    [
      { steps: new Array<string>(1) },
      'option "steps[0]" must be "token", "transient", "permanent", "hang", an Error or a token response, got undefined',
    ],
    [
      { steps: [null] },
      'option "steps[0]" must be "token", "transient", "permanent", "hang", an Error or a token response, got null',
    ],
    [{ names: 'roman' }, 'option "names" must be "letters", "numbers" or a function of a number, got "roman"'],
    [{ maxCalls: -1 }, 'option "maxCalls" must be a number, at least 0, or Infinity, got -1'],
    [{ allowOverlap: 'no' }, 'option "allowOverlap" must be true or false, got "no"'],
  ])('fakeTokenSource(%p)', (options, message) => {
    expect(messageOf(() => fakeTokenSource(options as FakeTokenSourceOptions))).toBe(message);
  });

  it.each<[unknown, string]>([
    [{}, 'option "tokens" must be a fakeTokenSource or the values of valid tokens, got undefined'],
    [{ tokens: () => 1 }, 'option "tokens" must be a fakeTokenSource or the values of valid tokens, got function'],
    [undefined, 'options must be an object'],
    [{ tokens: 'abc' }, 'option "tokens" must be a fakeTokenSource or the values of valid tokens, got "abc"'],
    [
      { tokens: [{ value: 'a' }] },
      'option "tokens" must be a fakeTokenSource or the values of valid tokens, got object',
    ],
    [{ tokens: null }, 'option "tokens" must be a fakeTokenSource or the values of valid tokens, got null'],
    [{ tokens: [], scheduler: 5 }, 'option "scheduler" must be an object with a method "schedule", got 5'],
    [{ tokens: [], delay: Infinity }, 'option "delay" must be a number, at least 0, at most 2147483647, got Infinity'],
    [
      { tokens: [], steps: {} },
      'option "steps" must be an array of "ok", "hang", "down" or a status from 200 to 599, got object',
    ],
    [{ tokens: [], steps: [99] }, 'option "steps[0]" must be "ok", "hang", "down" or a status from 200 to 599, got 99'],
    [
      { tokens: [], steps: [200.5] },
      'option "steps[0]" must be "ok", "hang", "down" or a status from 200 to 599, got 200.5',
    ],
    [{ tokens: [], refuseWith: 404 }, 'option "refuseWith" must be 401 or 403, got 404'],
    [{ tokens: [], answer: 'ok' }, 'option "answer" must be a function, got string'],
    [{ tokens: [], responses: 1 }, 'option "responses" must be true or false, got 1'],
    [{ token: [] }, 'unknown option "token"'],
    [{ tokens: [], maxCalls: '1' }, 'option "maxCalls" must be a number, at least 0, or Infinity, got "1"'],
    [
      { tokens: [], tolerate: ['dead'] },
      'option "tolerate[0]" must be "missing", "unknown", "expired", "refused", got "dead"',
    ],
  ])('scriptedApi(%p)', (options, message) => {
    expect(messageOf(() => scriptedApi(options as ScriptedApiOptions & { responses?: false }))).toBe(message);
  });

  it.each<[unknown, string]>([
    [{ lifetime: 0 }, 'option "lifetime" must be a number, at least 1, at most 2147483647, got 0'],
    [{ latency: -1 }, 'option "latency" must be a number, at least 0, at most 2147483647, got -1'],
    [{ port: 65_536 }, 'option "port" must be a number, at least 0, at most 65535, got 65536'],
    [null, 'options must be an object'],
    [{ port: 80.5 }, 'option "port" must be an integer, got 80.5'],
    [{ names: 1 }, 'option "names" must be "letters", "numbers" or a function of a number, got 1'],
    [{ refuseWith: 500 }, 'option "refuseWith" must be 401 or 403, got 500'],
  ])('startTokenServer(%p)', async (options, message) => {
    await expect(startTokenServer(options as TokenServerOptions)).rejects.toEqual(new TypeError(message));
  });

  it.each<[unknown, string]>([
    [undefined, 'options must be an object'],
    [{}, 'option "create" must be a function that returns stores, got undefined'],
    [
      { create: () => ({ stores: [] }), timeout: NaN },
      'option "timeout" must be a number, at least 1, finite, got NaN',
    ],
    [
      { create: () => ({ stores: [] }), timeout: '5' },
      'option "timeout" must be a number, at least 1, finite, got "5"',
    ],
  ])('storeContract(%p)', (options, message) => {
    expect(messageOf(() => storeContract(options as StoreContractOptions))).toBe(message);
  });

  it.each<[unknown, unknown, string]>([
    [
      'orders',
      'bare',
      'option "path" must be a path as requests have it: encoded, from "/" on, without query, got "orders"',
    ],
    [
      '/a b',
      'bare',
      'option "path" must be a path as requests have it: encoded, from "/" on, without query, got "/a b"',
    ],
    ['//[', 'bare', 'option "path" must be a path as requests have it: encoded, from "/" on, without query, got "//["'],
    [
      '/orders?x=1',
      'bare',
      'option "path" must be a path as requests have it: encoded, from "/" on, without query, got "/orders?x=1"',
    ],
    ['/orders', 'insuficient', 'option "how" must be "bare" or "insufficient_scope", got "insuficient"'],
  ])('forbid(%p, %p)', async (path, how, message) => {
    const server = await startTokenServer();
    for (const { forbid } of [scriptedApi({ tokens: [] }), server])
      expect(
        messageOf(() => {
          forbid(path as string, how as 'bare');
        }),
      ).toBe(message);
    await server.close();
  });

  it('virtualClock', () => {
    expect(messageOf(() => virtualClock({} as never))).toBe(
      'option "scheduler" must be an object with a method "now", got object',
    );
    const clock = virtualClock();
    for (const bad of [-1, NaN, Infinity, '5', undefined, null]) {
      expect(
        messageOf(() => {
          clock.sleep(bad as never);
        }),
      ).toMatch(/^option "ms" must be a number, at least 0, finite, got /);
      expect(
        messageOf(() => {
          clock.setBack(bad as never);
        }),
      ).toMatch(/^option "ms" must be a number, at least 0, finite, got /);
    }
  });
});

describe('what a function of the call’s number returns', () => {
  it('is checked at that call', () => {
    const source = fakeTokenSource({ latency: () => -1 });
    let failure: unknown;
    source({ reason: 'initial', attempt: 1, previous: null, signal: new AbortController().signal }).subscribe({
      error: (error: unknown) => (failure = error),
    });
    expect(failure).toEqual(new TypeError('option "latency" must be a number, at least 0, at most 2147483647, got -1'));
  });
});

describe('a function that is wrong about a call', () => {
  const request = { reason: 'initial', attempt: 1, previous: null, signal: new AbortController().signal } as const;

  it('is told of by verify, since a client takes it for a failure of the API', () => {
    const api = scriptedApi({ tokens: ['a'], delay: () => -1 });
    api.send({ value: 'a' }).subscribe({ error: () => undefined });
    expect(() => {
      api.verify();
    }).toThrow('option "delay" must be a number, at least 0, at most 2147483647, got -1');
  });

  it('is named when it names a token by something else than a text', () => {
    let failure: unknown;
    fakeTokenSource({ names: () => 4 as unknown as string })(request).subscribe({
      error: (error: unknown) => (failure = error),
    });
    expect(failure).toEqual(new TypeError('option "names(1)" must be a string that is not empty, got 4'));
  });
});

it('takes undefined for the default', () => {
  const unset = {
    scheduler: undefined,
    now: undefined,
    latency: undefined,
    lifetime: undefined,
    steps: undefined,
    names: undefined,
    maxCalls: undefined,
    allowOverlap: undefined,
  };
  const api = {
    scheduler: undefined,
    delay: undefined,
    steps: undefined,
    refuseWith: undefined,
    answer: undefined,
    responses: undefined,
    maxCalls: undefined,
    tolerate: undefined,
  };
  const source = fakeTokenSource(unset);
  expect(() => scriptedApi({ tokens: source, ...api })).not.toThrow();
});
