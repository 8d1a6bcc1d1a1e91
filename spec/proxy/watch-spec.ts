import { createTokenStream, takeToken, withToken, type TokenSource } from 'rx-fresh-token';
import { firstValueFrom, Subject, throwError } from 'rxjs';
import { answerToFailure, ProxyFailure } from '../../src/proxy/rules/failures.js';
import { createRecords } from '../../src/proxy/watch/records.js';
import { tokenHealth } from '../../src/proxy/watch/tokenHealth.js';
import { atEnd, until } from './support.js';

/** The values of metrics by their names, without the help. */
const valuesOf = (metrics: readonly string[]): Record<string, number> =>
  Object.fromEntries(
    metrics
      .flatMap((metric) => metric.split('\n').slice(2))
      .map((line) => line.replace('rx_fresh_token_', '').split(' ') as [string, string])
      .map(([name, value]) => [name, Number(value)]),
  );

describe('the records of requests', () => {
  let clock = 0;
  beforeEach(() => {
    clock = 1000;
    jest.spyOn(performance, 'now').mockImplementation(() => clock);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  const GET = { method: 'GET', url: '/orders?key=secret' };

  it('should count requests by status, their seconds, and what was sent once more', () => {
    const { begin, metrics } = createRecords(undefined);
    const [one, two, three] = [begin(GET), begin(GET), begin(GET)];
    one.exchange = { sent: 2 } as never;
    two.exchange = { sent: 1 } as never;
    clock = 2500;
    one.end(200);
    two.end(200);
    expect(valuesOf(metrics())).toEqual({
      'requests_total{status="200"}': 2,
      requests_in_flight: 1,
      request_seconds_total: 3,
      repeats_total: 1,
    });
    clock = 3000;
    // Nothing was sent, which is no repeat.
    three.end(503);
    expect(valuesOf(metrics())).toMatchObject({
      'requests_total{status="503"}': 1,
      requests_in_flight: 0,
      request_seconds_total: 5,
      repeats_total: 1,
    });
  });

  it('should count a request once, though it ends twice', () => {
    const log = jest.fn();
    const { begin, metrics } = createRecords(log);
    const record = begin(GET);
    record.end(200);
    record.end(499);
    expect(valuesOf(metrics())).toMatchObject({ 'requests_total{status="200"}': 1, requests_in_flight: 0 });
    expect(log).toHaveBeenCalledTimes(1);
  });

  it('should give the log what happened, and an error only if there was one', () => {
    const log = jest.fn();
    const { begin } = createRecords(log);
    begin(GET).end(200);
    clock = 1200;
    const record = begin({ url: '*' });
    record.error = 'dns_error';
    clock = 1250;
    record.end(502);
    expect(log.mock.calls).toEqual([
      [{ method: 'GET', path: '/orders', status: 200, took: 0, sent: 0 }],
      [{ method: '', path: '*', status: 502, took: 50, sent: 0, error: 'dns_error' }],
    ]);
    expect(log).not.toHaveBeenCalledWith(expect.objectContaining({ error: undefined }));
  });

  it('should say when no request is under way any more', async () => {
    const { begin, idle } = createRecords(undefined);
    await idle();
    const [one, two] = [begin(GET), begin(GET)];
    const done = jest.fn();
    const waiting = idle().then(done);
    one.end(200);
    await Promise.resolve();
    expect(done).not.toHaveBeenCalled();
    two.end(200);
    await waiting;
  });
});

describe('the metrics of the token', () => {
  function setUp(source: TokenSource) {
    const token$ = createTokenStream(source, { maxWait: 0, backoff: { initial: 1000, max: 1000 } });
    const health = tokenHealth(token$);
    atEnd(() => {
      health.stop();
      token$.close();
    });
    return { token$, health };
  }

  it('should count fetches, failures and rejections, and say when the token ends in Unix time', async () => {
    let fetched = 0;
    const { token$, health } = setUp(() => Promise.resolve({ access_token: `T${String(++fetched)}`, expires_in: 60 }));
    expect(valuesOf(health.metrics())).toEqual({
      token_fetches_total: 0,
      token_fetch_failures_total: 0,
      token_rejections_total: 0,
    });
    const rejected = () => throwError(() => Object.assign(new Error('no'), { status: 401 }));
    await firstValueFrom(token$.pipe(withToken(rejected))).catch(() => undefined);
    const values = valuesOf(health.metrics());
    expect(values).toMatchObject({ token_fetches_total: 2, token_fetch_failures_total: 0, token_rejections_total: 1 });
    expect(values.token_expires_seconds).toBe(token$.current!.expiresAt / 1000);
  });

  it('should not say when a token ends whose lifetime is unknown', async () => {
    const { token$, health } = setUp(() => Promise.resolve({ access_token: 'T1' }));
    await firstValueFrom(takeToken(token$));
    expect(valuesOf(health.metrics())).toEqual({
      token_fetches_total: 1,
      token_fetch_failures_total: 0,
      token_rejections_total: 0,
    });
  });

  it('should make clients come again when the next attempt is due', async () => {
    const { token$, health } = setUp(() => Promise.reject(Object.assign(new Error('later'), { retryAfter: 20_000 })));
    token$.subscribe({ error: () => undefined });
    await until(() => valuesOf(health.metrics()).token_fetch_failures_total === 1);
    expect([19, 20]).toContain(health.retryAfter());
  });
});

describe('the health of a token that is over', () => {
  const FAILED = { type: 'refreshFailed', permanent: false, retryIn: 0 };
  const CHANGED = { type: 'tokenChanged' };
  const started = (reason: string) => ({ type: 'refreshStarted', reason });

  it.each<[string, object[], boolean]>([
    ['nothing has happened', [], true],
    ['the first token is being fetched', [started('initial')], false],
    ['the next token is being fetched', [started('scheduled')], true],
    ['the next fetch failed', [started('scheduled'), FAILED], false],
    ['one came after a failure', [started('scheduled'), FAILED, CHANGED], true],
    ['it could not be stored', [started('initial'), CHANGED, FAILED], true],
    ['a store failed before any fetch', [FAILED], true],
    ['the user has signed out', [started('scheduled'), FAILED, { type: 'signedOut' }], true],
    ['the stream is closed', [{ type: 'closed' }], false],
  ])('when %s', (_when, happened, isHealthy) => {
    const events = new Subject<object>();
    const health = tokenHealth({ events, current: null } as never);
    for (const event of happened) events.next(event);
    expect([health.isHealthy(), health.retryAfter()]).toEqual([isHealthy, 1]);
  });
});

describe('what a client is told when a request failed', () => {
  const failure = (code: string) => Object.assign(new Error('x'), { code });

  it.each([
    ['ECONNREFUSED', 'connection_refused', 'the upstream server refuses connections'],
    ['ENOTFOUND', 'dns_error', 'the name of the upstream server is unknown'],
    ['EAI_AGAIN', 'dns_error', 'the name of the upstream server cannot be looked up'],
    ['ETIMEDOUT', 'connection_timeout', 'the upstream server cannot be reached'],
    ['EHOSTUNREACH', 'destination_ip_unroutable', 'the upstream server cannot be reached'],
    ['ENETUNREACH', 'destination_ip_unroutable', 'the upstream server cannot be reached'],
    ['EADDRNOTAVAIL', 'destination_ip_unroutable', 'the upstream server cannot be reached'],
    [
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'tls_certificate_error',
      'the certificate of the upstream server is not trusted; to add an authority: NODE_EXTRA_CA_CERTS',
    ],
    [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'tls_certificate_error',
      'the certificate of the upstream server is not trusted; to add an authority: NODE_EXTRA_CA_CERTS',
    ],
    ['CERT_HAS_EXPIRED', 'tls_certificate_error', 'the certificate of the upstream server is not valid'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls_certificate_error', 'the certificate of the upstream server is not valid'],
    ['EPROTO', 'tls_protocol_error', 'TLS with the upstream server failed'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls_protocol_error', 'TLS with the upstream server failed'],
    ['HPE_HEADER_OVERFLOW', 'http_response_header_section_size', 'the headers of the upstream server are too large'],
    ['HPE_INVALID_CONSTANT', 'http_protocol_error', 'the answer of the upstream server is not valid HTTP'],
    ['ECONNRESET', 'connection_terminated', 'the connection to the upstream server broke'],
    ['', 'connection_terminated', 'the connection to the upstream server broke'],
  ])('should be 502 with a type of RFC 9209: %s', (code, error, text) => {
    expect(answerToFailure(failure(code), 1)).toEqual({ status: 502, error, text });
  });

  it.each(['ERR_TOKEN_UNAVAILABLE', 'ERR_TOKEN_STREAM_CLOSED'])('should be 503 without a token: %s', async (code) => {
    const token$ = createTokenStream(() => Promise.reject(Object.assign(new Error('no'), { status: 400 })));
    if (code === 'ERR_TOKEN_STREAM_CLOSED') token$.close();
    const error: unknown = await firstValueFrom(token$).catch((reason: unknown) => reason);
    token$.close();
    expect(error).toMatchObject({ code });
    expect(answerToFailure(error, 7)).toEqual({
      status: 503,
      error: 'proxy_configuration_error',
      text: 'there is no usable token',
      retryAfter: 7,
    });
  });

  it('should be what the proxy found out itself', () => {
    const answer = { status: 504, error: 'http_response_timeout', text: 'it takes too long' };
    expect(answerToFailure(new ProxyFailure(answer, 'late'), 1)).toBe(answer);
  });
});
