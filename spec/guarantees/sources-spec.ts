/* eslint rxjs-x/throw-error: off -- sources throw what they like */
import { firstValueFrom, from, of, throwError, type ObservableInput } from 'rxjs';
import { cases, marbles } from 'rxjs-marbles/jest';
import {
  isTokenError,
  takeToken,
  type AccessToken,
  type TokenEvent,
  type TokenSource,
  type TokenStreamOptions,
} from 'rx-fresh-token';
import { jwt, openStream, setUp } from './rig.js';

/** What one caller gets of a source, and how often that is asked meanwhile. */
async function resultOf(source: (n: number) => ReturnType<TokenSource>, options: TokenStreamOptions = {}) {
  let asked = 0;
  const token$ = openStream(() => source(++asked), { maxWait: 5000, ...options });
  const events: TokenEvent[] = [];
  token$.events.subscribe((event) => events.push(event));
  const result: unknown = await firstValueFrom(takeToken(token$)).catch((error: unknown) => error);
  const failed = events.find((event) => event.type === 'refreshFailed');
  return { token$, result, cause: (result as Error).cause, asked, failed };
}

const json = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status });
const body = { access_token: 'T1', expires_in: 30 };

describe('27: a source may answer with a token response, or with the Response of fetch as it is', () => {
  it.each<[string, () => ReturnType<TokenSource>]>([
    ['a promise of a token response', () => Promise.resolve(body)],
    ['an Observable of one', () => of(body)],
    ['a list of one', () => [body]],
    ['a promise of a Response', () => Promise.resolve(json(body))],
    ['an Observable of a Response', () => of(json(body))],
    ['a Response with another status that says it went well', () => [json(body, 201)]],
    ['a form in a Response that calls it text', () => [new Response('access_token=T1&expires_in=30')]],
    ['a form whose names have hyphens', () => [new Response('access_token=T1&expires_in=30&not-before-policy=0')]],
    [
      'a form in a Response, as GitHub sends it',
      () => [new Response(new URLSearchParams('access_token=T1&expires_in=30'))],
    ],
  ])('takes %s', async (_kind, source) => {
    const { token$, result } = await resultOf(source);
    expect(result).toMatchObject({ value: 'T1', raw: { access_token: 'T1' } });
    expect(result).toHaveProperty('expiresAt', (result as AccessToken).issuedAt + 30_000);
    token$.close();
  });

  it.each<[string, () => Response, number]>([
    ['401 with JSON that is no OAuth error', () => json({ message: 'Unauthorized' }, 401), 401],
    ['401 with a page', () => new Response('<h1>Unauthorized</h1>', { status: 401 }), 401],
    ['400 with an OAuth error', () => json({ error: 'invalid_client' }, 400), 400],
    [
      '400 with an OAuth error in a form',
      () => new Response(new URLSearchParams('error=invalid_client'), { status: 400 }),
      400,
    ],
    ['404', () => new Response('not here', { status: 404 }), 404],
    ['403 with JSON', () => json({ message: 'Forbidden' }, 403), 403],
  ])('fails at once, after one request, for a Response %s', async (_kind, respond, status) => {
    const { token$, result, cause, asked, failed } = await resultOf(() => from([respond()]));
    expect(isTokenError(result, 'ERR_TOKEN_UNAVAILABLE')).toBe(true);
    expect(isTokenError(cause, 'ERR_TOKEN_ENDPOINT')).toBe(true);
    expect(cause).toMatchObject({ status });
    expect([asked, failed]).toMatchObject([1, { permanent: true, retryIn: null }]);
    token$.close();
  });

  it('judges a Response that is thrown', async () => {
    const { cause, asked } = await resultOf(() => throwError(() => json({ error: 'invalid_client' }, 401)));
    expect(cause).toMatchObject({ code: 'ERR_TOKEN_ENDPOINT', status: 401, error: 'invalid_client' });
    expect(asked).toBe(1);
  });

  it('judges an error that carries a Response by its status, and leaves the body to the application', async () => {
    const response = json({ error: 'slow_down' }, 400);
    const error = Object.assign(new Error('Request failed'), { response });
    const { cause, asked } = await resultOf(() => throwError(() => error));
    expect([cause, asked]).toEqual([error, 1]);
    expect(await response.json()).toEqual({ error: 'slow_down' });
  });

  it.each<[string, () => Response]>([
    ['503', () => json({ message: 'later' }, 503)],
    ['429', () => new Response('later', { status: 429 })],
    [
      "403 with a firewall's page",
      () => new Response('<html>', { status: 403, headers: { 'content-type': 'text/html' } }),
    ],
    ['400 with a code that asks to come later', () => json({ error: 'slow_down' }, 400)],
    ['200 with a page', () => new Response('<html>')],
  ])('asks again after a Response %s', async (_kind, respond) => {
    const { token$, result, asked } = await resultOf((n) => [n === 1 ? respond() : json(body)]);
    expect([(result as { value: string }).value, asked]).toEqual(['T1', 2]);
    token$.close();
  });

  it('does not wait for the body of a Response that failed longer than half of fetchTimeout', async () => {
    const stalled = () => new Response(new ReadableStream(), { status: 401 });
    const token$ = openStream(() => [stalled()], { fetchTimeout: 100 });
    const failure = (await firstValueFrom(takeToken(token$)).catch((error: unknown) => error)) as Error;
    expect(failure.cause).toMatchObject({ code: 'ERR_TOKEN_ENDPOINT', status: 401 });
    token$.close();
  });

  it.each<[string, () => unknown, string]>([
    ['a Response without a body', () => of(new Response(null, { status: 204 })), 'answered 204 with an empty body'],
    ['nothing', () => undefined, 'the token source returned undefined'],
    ['null', () => null, 'the token source returned null'],
    ['a string', () => 'T1', 'the token source returned string'],
    ['a number', () => 5, 'the token source returned number'],
    [
      'an object that RxJS cannot read',
      () => body,
      'the token source returned object, not a Promise (make it async) or an Observable',
    ],
    [
      'a Response that is not wrapped',
      () => json(body),
      'the token source returned object, not a Promise (make it async) or an Observable',
    ],
    ['a promise of nothing', () => Promise.resolve(), 'the token response is undefined'],
    [
      'a promise of a string',
      () => Promise.resolve('T1'),
      'the token response is string, not { access_token, expires_in }',
    ],
    [
      'a token under another name',
      () => of({ token: jwt({}) }),
      'has no access_token (undefined), but token: return { access_token, expires_in }',
    ],
    [
      'an Authorization header in the place of a token',
      () => of({ access_token: 'Bearer T1', expires_in: 30 }),
      'leave "Bearer " out',
    ],
    [
      "a promise of axios' response",
      () => Promise.resolve({ status: 200, headers: {}, data: body }),
      'return the parsed body',
    ],
    [
      'a mock of fetch that has only json()',
      () => Promise.resolve({ ok: true, status: 200, json: () => Promise.resolve(body) }),
      'has no access_token (undefined); it has ok, status, json',
    ],
    [
      "a promise of openapi-fetch's result",
      () => Promise.resolve({ data: body, response: json(body) }),
      'return the parsed body',
    ],
    [
      "RxJS' AjaxResponse",
      () => of({ status: 200, responseHeaders: {}, response: body, xhr: {} }),
      'return the parsed body',
    ],
    [
      'a Response that redirects, unless fetch follows',
      () => [new Response(null, { status: 302, headers: { location: '/sign-in' } })],
      'redirected, perhaps to its sign-in page',
    ],
  ])('fails at once for the mistake of %s, and says which', async (_kind, source, message) => {
    const { token$, result, cause, asked, failed } = await resultOf(source as () => ReturnType<TokenSource>);
    expect(isTokenError(result, 'ERR_TOKEN_UNAVAILABLE')).toBe(true);
    expect(isTokenError(cause, 'ERR_INVALID_TOKEN_RESPONSE')).toBe(true);
    expect((result as Error).message).toContain(message);
    expect([asked, failed]).toMatchObject([1, { permanent: true }]);
    token$.close();
  });
});

describe('28: a failure that a repeat does not mend fails everyone at once', () => {
  const http = (fields: object) => Object.assign(new Error('failed'), fields);

  cases(
    'wherever the client puts what the server said',
    (m, { fail, response }) => {
      const { ask, log, asked, events } = setUp(m, () => (response ? { response } : { fail }));
      ask(0, 'a');
      m.flush();
      expect(log).toEqual([expect.stringMatching(/^200 a !TokenUnavailableError\(/)]);
      expect(asked).toEqual(['0 initial']);
      expect(events).toContainEqual(expect.stringMatching(/ null permanent$/));
    },
    [
      { name: 'a status', fail: http({ status: 401 }) },
      { name: 'a statusCode', fail: http({ statusCode: 401 }) },
      { name: "axios' and ky's response.status", fail: http({ response: { status: 401 } }) },
      { name: "wreck's and simple-oauth2's data.res.statusCode", fail: http({ data: { res: { statusCode: 401 } } }) },
      { name: "got's response.statusCode", fail: http({ response: { statusCode: 401, body: '' } }) },
      {
        name: "axios' response.data.error",
        fail: http({ response: { status: 500, data: { error: 'invalid_client' } } }),
      },
      { name: 'a body in text', fail: http({ response: { body: '{"error":"invalid_client"}' } }) },
      { name: 'an error of an OAuth library', fail: http({ error: 'invalid_grant' }) },
      { name: 'login_required', fail: http({ error: 'login_required' }) },
      { name: 'interaction_required', fail: http({ error: 'interaction_required' }) },
      { name: 'a code of the server’s own', fail: http({ error: 'incorrect_client_credentials' }) },
      { name: 'a 200 with an error', response: { error: 'bad_refresh_token' } },
      { name: 'a 200 with an error in prose', response: { error: 'Client is unknown' } },
      { name: "Google's 403 in a body", response: { error: { code: 403, status: 'PERMISSION_DENIED' } } },
      { name: "RTK Query's result", response: { error: { status: 401, data: {} } } },
      { name: "MSAL's, when the user closes the window", fail: http({ errorCode: 'user_cancelled' }) },
      { name: "Amplify's expired refresh token", fail: http({ name: 'NotAuthorizedException' }) },
      { name: 'Amplify without a user', fail: http({ name: 'UserUnAuthenticatedException' }) },
      { name: "Firebase's session that has ended", fail: http({ code: 'auth/user-token-expired' }) },
      { name: "Firebase's user who may not sign in", fail: http({ code: 'auth/user-disabled' }) },
      { name: "GraphQL's code", response: { errors: [{ message: 'no', extensions: { code: 'UNAUTHENTICATED' } }] } },
      { name: "GraphQL's code for a 403", response: { errors: [{ extensions: { code: 'FORBIDDEN' } }] } },
      { name: "Firebase's user who is unknown", fail: http({ code: 'auth/user-not-found' }) },
      { name: "Firebase's token of another project", fail: http({ code: 'auth/invalid-user-token' }) },
      { name: 'Firebase without a user', fail: http({ code: 'auth/no-current-user' }) },
      {
        name: "ServiceNow's code in the description",
        response: { error: 'server_error', error_description: 'access_denied' },
      },
      { name: 'the first of several errors', response: { errors: [{ code: 'invalid_client' }] } },
      {
        name: 'what the server said, whatever the class of the error is called',
        fail: http({ name: 'InternalServerError', response: { data: { error: 'invalid_client' } } }),
      },
      { name: "Box' error", fail: http({ responseInfo: { statusCode: 400 } }) },
      { name: "Appwrite's error", fail: http({ code: 401, type: 'user_invalid_credentials' }) },
      { name: "Arctic's error", fail: http({ code: 'invalid_client' }) },
      { name: "AWS' status", fail: http({ $metadata: { httpStatusCode: 401 } }) },
      { name: "Symfony's code in a body", response: { code: 401, message: 'Invalid credentials.' } },
      { name: 'a session that has timed out', fail: http({ status: 400, data: { error: 'session_timeout' } }) },
      { name: 'a 200 without a token', response: { token: null } },
      { name: 'a 200 with errors in prose', response: { errors: [{ message: 'Please enter valid credentials' }] } },
      { name: "JSON-RPC's error", response: { error: { code: -32500, message: 'no' } } },
      { name: 'a 200 with a status in it', response: { statusCode: 401, message: 'Unauthorized' } },
    ] as { name: string; fail?: unknown; response?: unknown }[],
  );

  cases(
    'and what may pass does not',
    (m, { fail, response }) => {
      const { ask, log } = setUp(m, (n) => (n > 1 ? {} : response ? { response } : { fail }), { random: () => 1 });
      ask(0, 'a');
      m.flush();
      expect(log).toEqual(['650 a T2']);
    },
    [
      { name: 'a failure of the network', fail: new TypeError('fetch failed') },
      { name: 'a 400 that asks to wait', fail: http({ status: 400, error: 'authorization_pending' }) },
      { name: 'a 400 that limits the rate', fail: http({ status: 400, error: 'rate_limit_exceeded' }) },
      { name: 'a 400 that asks for a nonce', fail: http({ status: 400, error: 'use_dpop_nonce' }) },
      { name: "a firewall's page", fail: http({ response: { status: 403, data: '<html>' } }) },
      { name: "got's 429", fail: http({ response: { statusCode: 429 } }) },
      { name: "Supabase's 409", fail: http({ status: 409, code: 'conflict' }) },
      { name: "Supabase's hook that takes too long", fail: http({ status: 422, code: 'hook_timeout' }) },
      { name: "Meta's passing fault", fail: http({ status: 400, data: { error: { is_transient: true, code: 4 } } }) },
      {
        name: "Google's older limit",
        fail: http({ status: 403, data: { error: { errors: [{ reason: 'userRateLimitExceeded' }] } } }),
      },
      {
        name: "Firebase's limit",
        fail: http({ status: 400, data: { error: { code: 400, message: 'TOO_MANY_ATTEMPTS_TRY_LATER' } } }),
      },
      { name: 'a 200 with an error that may pass', response: { error: 'server_error' } },
      { name: 'a 200 whose token is null', response: { access_token: null } },
      { name: 'a 200 with a status that may pass', response: { status: 503 } },
      { name: "GraphQL's code for a fault", response: { errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] } },
      { name: 'a 500 with a code of its own', fail: http({ status: 500, error: 'unknown_error' }) },
      {
        name: 'a 502 with a code of its own',
        fail: http({ response: { status: 502, data: { error: 'bad_gateway' } } }),
      },
      { name: 'a 503 whose code is in code', fail: http({ status: 503, data: { code: 'service_unavailable' } }) },
      { name: 'a 200 with an error of the server', response: { error: 'internal_failure' } },
      { name: "Firebase's failure of the network", fail: http({ code: 'auth/network-request-failed' }) },
      { name: 'a call that was cancelled', fail: http({ code: 'cancelled' }) },
      { name: "MongoDB's error", fail: http({ code: 402, codeName: 'ResourceExhausted' }) },
      { name: 'a code of the network', fail: http({ error: 'network_error' }) },
      { name: 'a 403 with Retry-After', fail: http({ status: 403, headers: { 'retry-after': '0' } }) },
      {
        name: 'a 403 at the end of a rate limit',
        fail: http({ status: 403, headers: { 'x-ratelimit-remaining': '0' } }),
      },
      { name: "Cognito's 400", fail: http({ status: 400, data: { __type: 'TooManyRequestsException' } }) },
      {
        name: "AWS' ThrottlingException",
        fail: http({ name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } }),
      },
      {
        name: "Google's 403",
        fail: http({ status: 403, data: { error: { code: 403, status: 'RESOURCE_EXHAUSTED' } } }),
      },
      { name: "an instance's metadata server that is being updated", fail: http({ status: 410 }) },
      { name: 'a standby of Vault that lags behind', fail: http({ status: 412 }) },
      { name: 'a connection to the wrong server', fail: http({ status: 421 }) },
      {
        name: 'an error that AWS calls retryable',
        fail: http({ name: 'IDPCommunicationError', $retryable: {}, $metadata: { httpStatusCode: 400 } }),
      },
      { name: "Google's 503 in a body", response: { error: { code: 503, status: 'UNAVAILABLE' } } },
    ] as { name: string; fail?: unknown; response?: unknown }[],
  );

  it(
    'and a subscriber is told, unless the token still lives',
    marbles((m) => {
      const { token$, at, tell, log } = setUp(m, (n) => (n === 1 ? {} : { fail: { status: 401 } }));
      at(0, () => tell('s', token$));
      at(40_000, () => token$.close());
      m.flush();
      expect(log).toEqual(['200 s T1', '29200 s !TokenUnavailableError(!401)']);
    }),
  );

  it('and the stream can be used again, though no sooner than 50 ms later', async () => {
    let asked = 0;
    let time = 0;
    const token$ = openStream(
      (): ObservableInput<{ access_token: string }> =>
        ++asked === 1 ? throwError(() => ({ status: 401 })) : [{ access_token: 'T2' }],
      { backoff: { initial: 0 }, now: () => time },
    );
    await expect(firstValueFrom(token$)).rejects.toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE' });
    time = 49;
    await expect(firstValueFrom(takeToken(token$))).rejects.toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE' });
    time = 50;
    expect((await firstValueFrom(token$.refresh())).value).toBe('T2');
    token$.close();
  });
});
