import { EventEmitter } from 'node:events';
import { Redis } from 'ioredis';
import { ClientClosedError, createClient } from 'redis';
import { asyncScheduler, firstValueFrom, from, NEVER, Subject } from 'rxjs';
import { createTimers } from '../../src/internal/time/timers.js';
import { createBoundedCalls } from '../../src/redis/scripts/boundedCalls.js';
import { createClockBound } from '../../src/redis/scripts/clockBound.js';
import { createTokenCache } from '../../src/redis/records/tokenCache.js';
import { fetchTime, ttlOf, pollPause, sharedPause } from '../../src/redis/refresh/leaseTimes.js';
import type { RedisClient } from '../../src/redis/connection/client.js';
import { redisTokenStore } from '../../src/redis/index.js';
import { openDuplicate } from '../../src/redis/connection/openDuplicate.js';
import { settingsOf } from '../../src/redis/options.js';
import { parseAcquireReply, parseCommitReply, parsePush } from '../../src/redis/scripts/replies.js';
import { createEncryption } from '../../src/redis/records/encryption.js';
import { errorOf, isOfOneProcess, sharedFailureOf } from '../../src/redis/refresh/sharedFailure.js';
import { isPermanentFailure, retryAfterOf } from '../../src/answers/isPermanentFailure.js';
import { markPermanent, permanentError } from '../../src/answers/permanentError.js';
import {
  InvalidTokenResponseError,
  OriginNotAllowedError,
  TokenEndpointError,
  TokenFetchTimeoutError,
  TokenStreamClosedError,
} from '../../src/errors.js';

/** A client of `redis` 5: once it has been closed, it cannot be closed again, and one that connects has its way. */
class ClosedOnce extends EventEmitter {
  isOpen = false;
  readonly isReady = false;
  isConnected = false;
  readonly connect = () => {
    this.isOpen = true;
    return new Promise(() => undefined);
  };
  readonly unref = () => undefined;
  readonly destroy = () => {
    if (!this.isOpen) throw new ClientClosedError();
    this.isOpen = this.isConnected = false;
  };
}

it.each(['connect', 'error'])('should close a second connection of redis 5 that is not wanted at its %s', (event) => {
  const duplicate = new ClosedOnce();
  const client = { duplicate: () => duplicate } as unknown as RedisClient;
  openDuplicate(client, createTimers(asyncScheduler)).subscribe().unsubscribe();
  duplicate.isConnected = event === 'connect';
  duplicate.emit(event, new Error('refused'));
  expect([duplicate.isOpen, duplicate.isConnected]).toEqual([false, false]);
});

describe('the bound of the clock', () => {
  // Redis' clock is 1 000 000 ms ahead of ours in all of these.
  const AHEAD = 1_000_000;
  const sample = (sent: number, there: number, received: number) => ({ sent, received, redis: AHEAD + there });

  it('should know nothing before it has learned anything', () => {
    expect(createClockBound().latest(5)).toBeUndefined();
  });

  it.each([
    [0, 1, 2],
    [0, 0, 300],
    [0, 300, 300],
    [10, 11, 500],
  ])('should never be behind the true time: sent %d, answered %d, received %d', (sent, there, received) => {
    const clock = createClockBound();
    clock.learn(sample(sent, there, received));
    for (const later of [received, received + 1000, received + 3_600_000])
      expect(clock.latest(later)).toBeGreaterThanOrEqual(AHEAD + later);
  });

  it('should be as good as the quickest answer of the last minute', () => {
    const clock = createClockBound();
    clock.learn(sample(0, 1, 2));
    clock.learn(sample(1000, 1400, 1500));
    expect(clock.latest(1500)).toBeLessThan(AHEAD + 1500 + 4);
    clock.learn(sample(120_000, 120_300, 120_300));
    expect(clock.latest(120_300)).toBeCloseTo(AHEAD + 120_300 + 301, -1);
  });

  it('should forget what a clock that was set forward, or a machine that slept, has made void', () => {
    const clock = createClockBound();
    clock.learn(sample(0, 1, 2));
    clock.learn({ sent: 1000, received: 1002, redis: AHEAD + 60_000 });
    expect(clock.latest(1002)).toBeGreaterThanOrEqual(AHEAD + 60_002);
  });

  it('should never be behind what a message said, and be no more than that when it proves all answers wrong, until the next', () => {
    const clock = createClockBound();
    clock.learnAtLeast(AHEAD, 0);
    expect(clock.isKnown()).toBe(false);
    clock.learn(sample(0, 1, 2));
    clock.learnAtLeast(AHEAD + 500, 500);
    expect(clock.isKnown()).toBe(true);
    clock.learnAtLeast(AHEAD + 9000, 500);
    expect(clock.isKnown()).toBe(false);
    expect(clock.latest(600)).toBeGreaterThanOrEqual(AHEAD + 9100);
    clock.learn({ sent: 700, received: 702, redis: AHEAD + 9300 });
    expect(clock.isKnown()).toBe(true);
    expect(clock.latest(702)).toBeGreaterThanOrEqual(AHEAD + 9302);
  });

  it('should be safe, if pessimistic, when the clock was set back', () => {
    const clock = createClockBound();
    clock.learn(sample(0, 1, 2));
    clock.learn({ sent: 1000, received: 1002, redis: AHEAD - 9000 });
    expect(clock.latest(1002)).toBeGreaterThanOrEqual(AHEAD - 9000);
  });
});

describe('the arithmetic of leases', () => {
  it.each([
    [{ sent: 0, lease: 10_000 }, 5, 8000, 8000],
    [{ sent: 0, lease: 10_000 }, 5000, 8000, 4000],
    [{ sent: 0, lease: 10_000 }, 9500, 8000, -500],
    [{ sent: 0, lease: 500 }, 0, 8000, 450],
  ])(
    'should count from the moment at which the lease was asked for: %p at %d, fetchTimeout %d: %d',
    (grant, now, fetchTimeout, left) => {
      expect(fetchTime(grant, now, fetchTimeout)).toBe(left);
    },
  );

  it.each([
    [0, 0, undefined, 250],
    [1, 30_000, undefined, 500],
    [9, 3_600_000, undefined, 10_000],
    [9, 30_000, undefined, 5000],
    [0, 1000, undefined, 167],
    [0, 60, undefined, 50],
    [0, -1, 4000, 4000],
    [2000, -1, undefined, 10_000],
  ])(
    'should pause after %d failures before, with tokens of %d ms, asked to wait %p: %d',
    (failures, life, retryAfter, pause) => {
      expect(sharedPause(failures, life, retryAfter)).toBe(pause);
    },
  );

  it.each([
    [0, 10_000, 50],
    [2, 10_000, 200],
    [9, 10_000, 1000],
    [9, 30, 31],
    [0, 0, 1],
  ])('should look again in round %d, with %d ms of lease left, after %d', (round, left, pause) => {
    expect(pollPause(round, left)).toBe(pause);
  });

  it('should keep a refresh token for longer than its access token', () => {
    expect(ttlOf(30_000, false)).toBe(3_630_000);
    expect(ttlOf(30_000, true)).toBeGreaterThan(30 * 24 * 3_600_000);
    expect(ttlOf(-1, false)).toBeGreaterThan(3_600_000);
  });
});

describe('replies', () => {
  it('should be read as strings and as Buffers', () => {
    const reply = ['L', '10', 'here.1', '3', '7', '333', '2', '5', '4', '-1', '0.x'];
    const read = {
      type: 'lease',
      now: 10,
      hashId: 'here.1',
      ended: 3,
      fence: 7,
      lease: 333,
      failures: 2,
      life: -1,
      last: { generation: 5, issued: 4, life: -1, encrypted: '0.x' },
    };
    expect(parseAcquireReply(reply)).toEqual(read);
    expect(parseAcquireReply(reply.map((text) => Buffer.from(text)))).toEqual(read);
  });

  it.each([
    undefined,
    null,
    'OK',
    [],
    ['X', '1'],
    ['T', '1'],
    ['T', '1', 'p', '0', '2', '3', '4', ''],
    ['T', '1', 'p', '0', '9007199254740992', '3', '4', '0.x'],
    ['T', '1', 'p', '0', '1e400', '3', '4', '0.x'],
    ['W', '1', 'p', '0', 'x'],
    ['W'],
  ])('should be refused when no script says so, and not quoted: %p', (reply) => {
    expect(() => parseAcquireReply(reply)).toThrow('Redis answered something that no script of this library says');
    expect(() => parseCommitReply(reply)).toThrow('Redis answered something that no script of this library says');
  });

  it.each(['', 'hello', 'T', 'T\n1\n2', 'F\nx', 'T\n1\np\n9007199254740992\n3\n4\nother.1\n0.x', 'F\n1e300'])(
    'should be ignored in the channel when others say them: %p',
    (message) => {
      expect(parsePush(message)).toBeUndefined();
    },
  );
});

describe('encryption', () => {
  const one = { id: 'one', key: new Uint8Array(32).fill(1) };

  it('should give back what it encrypted, with bytes and with a CryptoKey, and never the same twice', async () => {
    const imported = await crypto.subtle.importKey('raw', one.key, 'AES-GCM', false, ['encrypt', 'decrypt']);
    const encrypted = await createEncryption([one], 'here').encrypt('token', { a: 'ü' });
    expect(await createEncryption([{ id: 'one', key: imported }], 'here').decrypt('token', encrypted)).toEqual({
      a: 'ü',
    });
    expect(await createEncryption([one], 'here').encrypt('token', { a: 'ü' })).not.toBe(encrypted);
  });

  it('should refuse what was moved, altered, said for another purpose, encrypted by others, or not encrypted', async () => {
    const { encrypt, decrypt } = createEncryption([one], 'here');
    const encrypted = await encrypt('token', { access_token: 'SECRET' });
    const altered = encrypted.slice(0, -6) + (encrypted.endsWith('AAAA==') ? 'BBBB==' : 'AAAA==');
    for (const attempt of [
      () => createEncryption([one], 'there').decrypt('token', encrypted),
      () => decrypt('failure', encrypted),
      () => decrypt('token', altered),
      () => createEncryption([{ id: 'one', key: new Uint8Array(32).fill(2) }], 'here').decrypt('token', encrypted),
      () => createEncryption([{ id: 'two', key: one.key }], 'here').decrypt('token', encrypted),
      () => createEncryption([], 'here').decrypt('token', encrypted),
      () => decrypt('token', '0.{"access_token":"SECRET"}'),
      () => decrypt('token', '2.what'),
      () => decrypt('token', '1.one.!.!'),
      () => createEncryption([], 'here').decrypt('token', '0.{SECRET'),
    ]) {
      const failure: unknown = await attempt().catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'ERR_TOKEN_STORE' });
      expect(String(failure)).not.toContain('SECRET');
    }
  });
});

describe('a shared failure', () => {
  const answered = (status: number, headers: Record<string, string>) =>
    Object.defineProperty(new TokenEndpointError('answered', { status }), 'headers', { value: new Headers(headers) });

  it('should be the same class for those who read it, with what judges it, and nothing that it held', () => {
    const thrown = Object.assign(
      new TokenEndpointError('refused', { status: 401, error: 'invalid_client', cause: 'SECRET' }),
      { response: 'SECRET' },
    );
    const read = errorOf(JSON.parse(JSON.stringify(sharedFailureOf(thrown))), 70);
    expect(read).toBeInstanceOf(TokenEndpointError);
    expect(read).toMatchObject({
      status: 401,
      error: 'invalid_client',
      retryAfter: 70,
      message: 'refused (of the last fetch, shared through Redis)',
    });
    expect(JSON.stringify(sharedFailureOf(thrown))).not.toContain('SECRET');
    const prose = new TokenEndpointError('refused', { error: 'no such refresh token SECRET' });
    expect(JSON.stringify(sharedFailureOf(prose))).not.toContain('SECRET');
    expect(errorOf(sharedFailureOf(new TokenFetchTimeoutError('late')), 1)).toMatchObject({
      code: 'ERR_TOKEN_FETCH_TIMEOUT',
    });
    expect(errorOf(sharedFailureOf(new RangeError('odd')), 1)).toMatchObject({
      name: 'RangeError',
      message: 'odd (of the last fetch, shared through Redis)',
      retryAfter: 1,
    });
    expect(errorOf(sharedFailureOf(markPermanent(new SyntaxError('odd'))), 1)).toMatchObject({ name: 'SyntaxError' });
  });

  it.each<[string, boolean, unknown]>([
    ['a page of a firewall', false, answered(403, { 'content-type': 'text/html' })],
    ['a rate limit', false, answered(403, { 'x-ratelimit-remaining': '0' })],
    ['a rate limit of axios', false, { response: { status: 403, headers: { 'retry-after': '2' } } }],
    ['a server in trouble, by got', false, { response: { statusCode: 502 } }],
    ['a refusal', true, answered(403, {})],
    ['a refusal in prose', true, new TokenEndpointError('refused', { error: 'no such refresh token' })],
    ['a limit in prose', false, new TokenEndpointError('refused', { status: 400, error: 'Too many requests.' })],
    ['a refusal, by axios', true, { response: { status: 401, data: { error: 'invalid_client' } } }],
    ['a refusal, by got', true, { response: { statusCode: 400, body: '{"error":"invalid_grant"}' } }],
    ['a source that returns no response', true, permanentError('the token source returned no token response')],
    ['a closed stream', true, new TokenStreamClosedError('closed')],
    ['an origin that is not allowed', true, new OriginNotAllowedError('https://b.example')],
    ['a response without a token', false, new InvalidTokenResponseError('no token')],
    ['a refusal that the source wraps', true, new Error('no login', { cause: answered(401, {}) })],
    ['a redirect', true, markPermanent(new TokenEndpointError('redirected', { status: 302 }))],
    ['what may be tried again', false, { $retryable: {}, status: 400, error: 'invalid_request' }],
  ])('should be permanent or not for those who read it as for the one who met it: %s', (_what, permanent, thrown) => {
    const read = errorOf(JSON.parse(JSON.stringify(sharedFailureOf(thrown))), 70);
    expect([isPermanentFailure(thrown), isPermanentFailure(read)]).toEqual([permanent, permanent]);
    expect(read).toMatchObject({ retryAfter: 70 });
    expect(retryAfterOf(read, 0)).toBeCloseTo(70);
  });

  it.each([
    [false, { name: 'TokenEndpointError', message: 'answered 503', status: 503 }],
    [false, { name: 'TokenFetchTimeoutError', message: 'no answer' }],
    [true, { name: 'TokenEndpointError', message: 'refused', status: 400, error: 'invalid_grant' }],
  ])(
    'should be judged by its status and code where a process of 0.1.0 shared it: permanent %p',
    (permanent, shared) => {
      expect(isPermanentFailure(errorOf(shared, 70))).toBe(permanent);
    },
  );

  it.each([
    ['invalid_client', 401, true],
    ['unauthorized_client', 400, true],
    ['invalid_client', 429, false],
    ['invalid_grant', 400, false],
    ['invalid_scope', 400, false],
  ])('should be that of the credentials of one process, or not: %s, %i: %p', (error, status, expected) => {
    expect(isOfOneProcess(sharedFailureOf(new TokenEndpointError('refused', { status, error })))).toBe(expected);
  });

  it('should hold nothing that may be a secret of the message', () => {
    const message = 'request to https://app:pa55@id.example/token?client_secret=s3cr3t failed, reason: ECONNREFUSED';
    expect(sharedFailureOf(new Error(message)).message).toBe(
      'request to https://id.example/token failed, reason: ECONNREFUSED',
    );
  });

  it.each([undefined, null, 'text', 7])('should make an error of %p', (thrown) => {
    expect(errorOf(sharedFailureOf(thrown), 5)).toMatchObject({
      name: 'Error',
      message: expect.stringContaining(' (of the last fetch, shared through Redis)') as string,
    });
    expect(errorOf(thrown, 5)).toBeInstanceOf(Error);
  });
});

describe('tokens that are known', () => {
  const token = (generation: number, access_token: string) => ({
    generation,
    issued: 0,
    life: 1,
    response: { access_token },
  });

  it('should be told by their values, the newest of each, and remembered in their order whatever order they came in', () => {
    const known = createTokenCache();
    known.add(token(5, 'E'));
    known.add(token(3, 'C'));
    known.add(token(7, 'C'));
    expect(known.newest()?.generation).toBe(7);
    expect(known.generationOf({ value: 'C' })).toEqual({ generation: 7, isExact: true });
    expect(known.generationOf({ value: 'E' })).toEqual({ generation: 5, isExact: true });
    expect(known.generationOf({ value: 'X' })).toEqual({ generation: 0, isExact: false });
    expect(known.generationOf(null)).toEqual({ generation: 0, isExact: false });
    known.addLocal({ access_token: 'L' });
    expect(known.generationOf({ value: 'L' })).toEqual({ generation: 7, isExact: false });
    known.clear();
    expect(known.newest()).toBeNull();
  });
});

describe('a bounded call', () => {
  const timers = createTimers(asyncScheduler);
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());
  const outcome = (promise: Promise<unknown>) =>
    promise.then(
      (value) => value,
      (error: unknown) => (error as Error).message,
    );

  it('should be given up at the deadline, and its late reply be heard', async () => {
    const call = createBoundedCalls(500, timers, () => false);
    let answer!: (value: string) => void;
    const late: string[] = [];
    const result = outcome(
      call(
        () => new Promise<string>((resolve) => (answer = resolve)),
        (reply) => late.push(reply),
      ),
    );
    await jest.advanceTimersByTimeAsync(500);
    expect(await result).toBe('Redis is not available: no answer within 500 ms');
    answer('L');
    await jest.advanceTimersByTimeAsync(0);
    expect(late).toEqual(['L']);
  });

  it('should not be made while four earlier ones are unanswered', async () => {
    const call = createBoundedCalls(100, timers, () => false);
    const answers: (() => void)[] = [];
    const hang = () => new Promise<void>((resolve) => answers.push(resolve));
    for (let i = 0; i < 4; i++) {
      const result = outcome(call(hang));
      await jest.advanceTimersByTimeAsync(100);
      await result;
    }
    expect(await outcome(call(hang))).toContain('earlier calls are still unanswered, and the connection may be dead');
    answers[0]!();
    await jest.advanceTimersByTimeAsync(0);
    const next = call(() => Promise.resolve('again'));
    expect(await next).toBe('again');
  });

  it('should be made again when the client has not answered the earlier ones for half a minute: it may have lost them', async () => {
    const call = createBoundedCalls(500, timers, () => false);
    const lost = Array.from({ length: 4 }, () => outcome(call(() => new Promise(() => undefined))));
    await jest.advanceTimersByTimeAsync(500);
    await Promise.all(lost);
    await jest.advanceTimersByTimeAsync(29_000);
    expect(await outcome(call(() => Promise.resolve(1)))).toContain('still unanswered');
    await jest.advanceTimersByTimeAsync(1000);
    expect(await call(() => Promise.resolve(1))).toBe(1);
  });

  it('should fail at once when the connection is known to be lost, and soon when it is lost meanwhile', async () => {
    let down = false;
    const call = createBoundedCalls(500, timers, () => down);
    expect(await call(() => Promise.resolve(1))).toBe(1);
    const result = outcome(call(() => new Promise(() => undefined)));
    down = true;
    await jest.advanceTimersByTimeAsync(50);
    expect(await result).toContain('the connection is lost');
    expect(await outcome(call(() => Promise.resolve(1)))).toContain('the connection is lost');
  });

  it.each([
    [Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [new Error("NOPERM User weak has no permissions; args 'SECRET'"), 'NOPERM'],
    [Object.assign(new Error('something with SECRET'), { command: { args: ['SECRET'] } }), 'Error'],
    [new Error('ERR Error running script (call to f_0a1b): @user_script:4: OOM command not allowed'), 'OOM'],
    [new Error('ERR Error running script (call to f_0a1b): @user_script: 4: -READONLY You can not write'), 'READONLY'],
    [new Error('ERR ACL failure in script: No permissions to access a channel script: 0a1b'), 'NOPERM'],
    [new Error("ERR The user executing the script can't run this command or subcommand script: 0a1b"), 'NOPERM'],
    [
      new Error(
        "ERR Error running script (call to f_0a1b): @user_script:4: @user_script: 4: The user executing the script can't access at least one of the keys",
      ),
      'NOPERM',
    ],
    [new Error("ERR unknown command 'SECRET'"), 'ERR'],
    [new Error("ERR unknown command 'EVAL', with args beginning with: 'SECRET'"), "ERR unknown command 'EVAL'"],
    [new Error('ERR unknown command `eval`, with args beginning with: `SECRET`'), 'ERR unknown command `eval`'],
    [new Error('ERR unsupported command: SECRET'), 'ERR'],
    [
      new Error('ERR Unknown Redis command called from script script: 0a1b, on @user_script:4.'),
      'Unknown Redis command called from script',
    ],
    [
      new Error(
        'ERR Error running script (call to f_0a1b): @user_script:4: @user_script: 4: Unknown Redis command called from Lua script',
      ),
      'Unknown Redis command called from Lua script',
    ],
    [new ClientClosedError(), 'ClientClosedError'],
    // What ioredis says by an Error without a code; and a client that is used for subscriptions.
    [new Error('Connection is closed.'), 'Connection is closed'],
    [new Error('Command timed out'), 'Command timed out'],
    [new Error("Stream isn't writeable and enableOfflineQueue options is false"), "Stream isn't writeable"],
    [new Error('Connection in subscriber mode, only subscriber commands may be used'), 'Connection in subscriber mode'],
    [
      new Error(
        "ERR Can't execute 'evalsha': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING are allowed in this context",
      ),
      "ERR Can't execute 'evalsha': only (P|S)SUBSCRIBE",
    ],
    [undefined, 'Error'],
  ])('should say why, and no more: %p', async (thrown, reason) => {
    const call = createBoundedCalls(500, timers, () => false);
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- clients reject with what they like
    expect(await outcome(call(() => Promise.reject(thrown)))).toBe(`Redis is not available: ${reason}`);
  });
});

it.each([
  'WRONGTYPE Operation against a key holding the wrong kind of value script: 0a1b, on @user_script:4.',
  'ERR Error running script (call to f_0a1b): @user_script:4: WRONGTYPE Operation against a key holding the wrong kind',
])('a key that holds something else should be told from a Redis that is away: %s', async (message) => {
  const call = createBoundedCalls(500, createTimers(asyncScheduler), () => false);
  await expect(call(() => Promise.reject(new Error(message)))).rejects.toThrow('the key in Redis holds something');
});

describe('options', () => {
  const client = { eval: () => Promise.resolve(), evalSha: () => Promise.resolve() };
  const good = { client, key: 'k' };

  /** As @upstash/redis has them. */
  const upstash = { eval: client.eval, evalsha: client.eval, createScript: client.eval };

  /** As node_redis 3 has them. */
  const nodeRedis3 = { eval: () => true, evalsha: () => true, internal_send_command: () => true };

  it.each<[string, object]>([
    ['unknown option "encryptionkey"', { encryptionkey: { id: 'a', key: new Uint8Array(32) } }],
    ['option "client"', { client: {} }],
    ['option "client"', { client: undefined }],
    ['option "client" must be a client of redis or ioredis', { client: 'redis://:SECRET@localhost' }],
    ['option "client"', { client: createClient().multi() }],
    ['option "client"', { client: new Redis({ lazyConnect: true }).multi() }],
    ['option "client"', { client: new Redis({ lazyConnect: true }).pipeline() }],
    ['option "client" must be a client of redis or ioredis, not one of @upstash/redis', { client: upstash }],
    [
      'option "client" must be a client of redis or ioredis, version 5 or later, whose commands return promises',
      { client: nodeRedis3 },
    ],
    [
      'option "client" must be a client of redis or ioredis, version 5 or later, whose commands return promises',
      { client: { ...client, options: { legacyMode: true } } },
    ],
    [
      'option "client" must be a client of redis or ioredis, version 5 or later, whose commands return promises',
      { client: createClient().legacy() },
    ],
    ['option "key"', { key: '' }],
    ['option "key"', { key: 'a{b}' }],
    ['option "prefix"', { prefix: 'a{' }],
    ['option "lease"', { lease: 99 }],
    ['option "fetchTimeout"', { fetchTimeout: 0 }],
    ['option "storeDeadline"', { storeDeadline: Infinity }],
    ['option "forceCooldown"', { forceCooldown: -1 }],
    ['option "lifetime"', { lifetime: 60_000 }],
    ['option "onUnavailable"', { onUnavailable: 'panic' }],
    ['option "encryptionKey"', { encryptionKey: { id: 'a b', key: new Uint8Array(32) } }],
    ['option "encryptionKey"', { encryptionKey: { id: 'a', key: new Uint8Array(16) } }],
    ['option "encryptionKey" must be { id, key }, or several, got string', { encryptionKey: 'SECRET' }],
    ['option "encryptionKey" must be { id, key }, or several, got null', { encryptionKey: null }],
    [
      'got a text: decode it, as by Buffer.from(text, "base64")',
      { encryptionKey: { id: 'a', key: 'SECRETSECRETSECRETSECRETSECRETSE' } },
    ],
    [
      'option "encryptionKey"',
      {
        encryptionKey: [
          { id: 'a', key: new Uint8Array(32) },
          { id: 'a', key: new Uint8Array(32) },
        ],
      },
    ],
  ])('should be refused by name, unquoted if secret: %s', (name, wrong) => {
    const make = () => redisTokenStore({ ...good, ...wrong });
    expect(make).toThrow(TypeError);
    expect(make).toThrow(name);
    expect(make).not.toThrow('SECRET');
  });

  it('should be an object, and not be quoted: a URL in their place may hold a password', () => {
    const make = () => redisTokenStore('redis://:SECRET@localhost' as never);
    expect(make).toThrow(new TypeError('options must be an object'));
  });

  const made = (length: number, usages: KeyUsage[], name = 'AES-GCM') =>
    crypto.subtle.importKey('raw', new Uint8Array(length), name, false, usages);

  it.each<[string, () => Promise<unknown>]>([
    ['of 128 bits', () => made(16, ['encrypt', 'decrypt'])],
    ['that can only decrypt', () => made(32, ['decrypt'])],
    ['that can only encrypt', () => made(32, ['encrypt'])],
    ['for another algorithm', () => made(32, ['encrypt', 'decrypt'], 'AES-CBC')],
    ['that is none', () => Promise.resolve({ algorithm: null, usages: [] })],
    ['that is missing', () => Promise.resolve(null)],
  ])('should be refused with a CryptoKey %s', async (_what, make) => {
    const key = (await make()) as CryptoKey;
    expect(() => redisTokenStore({ ...good, encryptionKey: { id: 'a', key } })).toThrow(
      /^option "encryptionKey" must have a key of 32 bytes/,
    );
  });

  it('should be refused with an empty list of keys, which would store tokens as they are', () => {
    expect(() => redisTokenStore({ ...good, encryptionKey: [] })).toThrow('option "encryptionKey"');
  });

  it('should be taken as they are at creation: bytes that the caller overwrites later change nothing', async () => {
    const bytes = new Uint8Array(32).fill(7);
    const { keys, hashKey } = settingsOf({ ...good, encryptionKey: { id: 'a', key: bytes } });
    bytes.fill(0);
    const encrypted = await createEncryption(keys, hashKey).encrypt('token', 'T1');
    const same = createEncryption([{ id: 'a', key: new Uint8Array(32).fill(7) }], hashKey);
    expect(await same.decrypt('token', encrypted)).toBe('T1');
  });

  it('should accept a CryptoKey that cannot be exported', async () => {
    const key = await made(32, ['encrypt', 'decrypt']);
    expect(() => redisTokenStore({ ...good, encryptionKey: { id: 'a', key } })).not.toThrow();
  });

  it('should be enough with a client and a key', () => {
    expect(redisTokenStore(good)).toMatchObject({ refresh: expect.any(Function) as unknown });
  });
});

describe("a refresh without Redis, with 'local',", () => {
  it('should not begin a fetch, if its caller has left while Redis was asked', async () => {
    const reply$ = new Subject<never>();
    const reply = firstValueFrom(reply$);
    const client = { status: 'ready', eval: () => reply, evalsha: () => reply };
    const store = redisTokenStore({ client, key: 'orders', onUnavailable: 'local' });
    const fetch = jest.fn(() => NEVER);
    const { signal } = new AbortController();
    const waiting = from(store.refresh({ reason: 'initial', attempt: 1, previous: null, signal }, fetch)).subscribe();
    await new Promise(setImmediate);
    waiting.unsubscribe();
    reply$.error(new Error('Connection is closed.'));
    await new Promise(setImmediate);
    expect(fetch).not.toHaveBeenCalled();
  });
});
