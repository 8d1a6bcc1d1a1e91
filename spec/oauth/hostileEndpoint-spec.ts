import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { filter, firstValueFrom, merge, NEVER, catchError, EMPTY, take, ignoreElements } from 'rxjs';
import { clientCredentials } from '../../src/oauth/clientCredentials.js';
import { createTokenStream } from '../../src/token/tokenStream.js';
import { ask } from './fakeEndpoint.js';
import { answer, endless, hostileServer, LEAK, type Misdeed } from './hostileServer.js';

const CLIENT_SECRET = 'the-client-secret-5d41402a';
const token = { access_token: LEAK, token_type: 'Bearer', expires_in: 60 };
const json = (value: unknown) => answer(JSON.stringify(value));
const refusal = (status: string, body: unknown, headers: Record<string, string> = {}) =>
  answer(JSON.stringify(body), headers, status);
const html = `<html><body>${LEAK} ${CLIENT_SECRET}</body></html>`;
const basic = Buffer.from(`orders:${encodeURIComponent(CLIENT_SECRET)}`).toString('base64');

interface Expected {
  readonly status?: number;
  readonly error?: string;
  readonly error_description?: string;
  readonly retryAfter?: number;
}

const ENDPOINT = 'TokenEndpointError';
const INVALID = 'InvalidTokenResponseError';

const misdeeds: [name: string, misdeed: Misdeed, errorName: string, message: RegExp, expected?: Expected][] = [
  // No JSON object
  ['an empty body', answer(''), INVALID, /answered 200 with application\/json, but an empty body/],
  [
    'an empty body without a content type',
    answer('', { 'content-type': undefined }),
    INVALID,
    /200 with no content type, but an empty body/,
  ],
  [
    '204 No Content',
    answer('', { 'content-length': undefined }, '204 No Content'),
    INVALID,
    /answered 204 .* empty body/,
  ],
  ['white space', answer(' \r\n\t '), INVALID, /an empty body/],
  [
    'HTML',
    answer(html, { 'content-type': 'text/html; charset=utf-8' }),
    INVALID,
    /200 with text\/html, but a body that is not JSON/,
  ],
  ['HTML that says it is JSON', answer(html), INVALID, /200 with application\/json, but a body that is not JSON/],
  [
    'XML',
    answer(`<token>${LEAK}</token>`, { 'content-type': 'application/xml' }),
    INVALID,
    /application\/xml, but a body that is not JSON/,
  ],
  [
    'a bare JWT',
    answer(`eyJhbGciOiJub25lIn0.${LEAK}.`, { 'content-type': 'application/jwt' }),
    INVALID,
    /application\/jwt, but a body that is not JSON/,
  ],
  [
    'JavaScript',
    answer(`callback({"access_token":"${LEAK}"})`, { 'content-type': 'text/javascript' }),
    INVALID,
    /text\/javascript, but a body that is not JSON/,
  ],
  ['JSON that breaks off', answer(`{"access_token":"${LEAK}`), INVALID, /a body that is not JSON/],
  ['JSON with something after it', answer(`${JSON.stringify(token)}${LEAK}`), INVALID, /a body that is not JSON/],
  ['JSON with a trailing comma', answer(`{"access_token":"${LEAK}",}`), INVALID, /a body that is not JSON/],
  ['JSON in single quotes', answer(`{'access_token':'${LEAK}'}`), INVALID, /a body that is not JSON/],
  ['a raw line break in a string', answer(`{"access_token":"${LEAK}\n"}`), INVALID, /a body that is not JSON/],
  ['null bytes', answer(Buffer.alloc(1000)), INVALID, /a body that is not JSON/],
  ['random bytes', answer(Buffer.from([0xff, 0xfe, 0x80, 0xc3, 0x28])), INVALID, /a body that is not JSON/],
  ['UTF-16', answer(Buffer.from(JSON.stringify(token), 'utf16le')), INVALID, /a body that is not JSON/],
  ['null', answer('null'), INVALID, /200 with application\/json and no access_token \(undefined\)/],
  [
    'an array',
    answer(JSON.stringify([token])),
    INVALID,
    /200 with application\/json and no access_token \(undefined\)/,
  ],
  ['a string', answer(JSON.stringify(LEAK)), INVALID, /200 with application\/json and no access_token \(undefined\)/],
  ['a number', answer('7'), INVALID, /200 with application\/json and no access_token \(undefined\)/],
  ['true', answer('true'), INVALID, /200 with application\/json and no access_token \(undefined\)/],
  // Wrong members
  ['an empty object', json({}), INVALID, /200 with application\/json and no access_token \(undefined\)/],
  [
    'a token under another name',
    json({ accessToken: LEAK }),
    INVALID,
    /no access_token \(undefined\), but accessToken: give a "fetch" that returns \{ access_token, expires_in \}$/,
  ],
  [
    'a token in a member',
    json({ data: token }),
    INVALID,
    /no access_token \(undefined\), but data\.access_token: give a "fetch"/,
  ],
  [
    'an ID token alone',
    json({ id_token: LEAK }),
    INVALID,
    /no access_token \(undefined\), but id_token: give a "fetch"/,
  ],
  ['no token of any kind', json({ success: false, message: LEAK }), INVALID, /\(undefined\); it has success, message$/],
  ['tokens by user', json({ [LEAK]: token }), INVALID, /no access_token \(undefined\)$/],
  [
    'a null token',
    json({ ...token, access_token: null }),
    INVALID,
    /200 with application\/json and no access_token \(null\)/,
  ],
  [
    'an empty token',
    json({ ...token, access_token: '' }),
    INVALID,
    /200 with application\/json and no access_token \(an empty string\)/,
  ],
  [
    'a number as token',
    json({ ...token, access_token: 42 }),
    INVALID,
    /200 with application\/json and no access_token \(number\)/,
  ],
  [
    'an object as token',
    json({ ...token, access_token: { value: LEAK } }),
    INVALID,
    /200 with application\/json and no access_token \(object\)/,
  ],
  [
    'an array as token',
    json({ ...token, access_token: [LEAK] }),
    INVALID,
    /200 with application\/json and no access_token \(an array\)/,
  ],
  [
    'a token with a line break',
    json({ ...token, access_token: `${LEAK}\r\nx-injected: 1` }),
    INVALID,
    /access_token that no header can carry/,
  ],
  [
    'a token with a null byte',
    json({ ...token, access_token: `${LEAK}\0` }),
    INVALID,
    /access_token that no header can carry/,
  ],
  [
    'a token with a space',
    json({ ...token, access_token: `${LEAK} ${LEAK}` }),
    INVALID,
    /access_token that no header can carry/,
  ],
  [
    'a token outside ASCII',
    json({ ...token, access_token: `${LEAK}\u00e9` }),
    INVALID,
    /access_token that no header can carry/,
  ],
  [
    'a token of a half character',
    json({ ...token, access_token: `${LEAK}\ud800` }),
    INVALID,
    /access_token that no header can carry/,
  ],
  [
    'a token in broken UTF-8',
    answer(Buffer.from(`{"access_token":"${LEAK}\xff"}`, 'latin1')),
    INVALID,
    /access_token that no header can carry/,
  ],
  [
    'the same key twice, the last one wrong',
    answer(`{"access_token":"${LEAK}","access_token":5}`),
    INVALID,
    /200 with application\/json and no access_token \(number\)/,
  ],
  [
    'a token on the prototype',
    answer(`{"__proto__":{"access_token":"${LEAK}"}}`),
    INVALID,
    /200 with application\/json and no access_token \(undefined\)/,
  ],
  ['nesting that is never closed', answer('['.repeat(500_000)), INVALID, /a body that is not JSON/],
  // Errors
  [
    '200 with an error',
    json({ error: 'invalid_client' }),
    ENDPOINT,
    /answered 200 .*: invalid_client/,
    { status: 200, error: 'invalid_client' },
  ],
  [
    '400 with an error',
    refusal('400 Bad Request', { error: 'invalid_scope', error_description: 'no such scope' }),
    ENDPOINT,
    /400 with application\/json: invalid_scope$/,
    { status: 400, error: 'invalid_scope', error_description: 'no such scope' },
  ],
  [
    '401 with an error and a challenge',
    refusal('401 Unauthorized', { error: 'invalid_client' }, { 'www-authenticate': 'Basic realm="x"' }),
    ENDPOINT,
    /401 .*: invalid_client/,
    { status: 401, error: 'invalid_client' },
  ],
  [
    'an error that is no string',
    refusal('400 Bad Request', { error: { code: 'invalid_client', message: LEAK } }),
    ENDPOINT,
    /answered 400 with application\/json: invalid_client$/,
    { status: 400, error: 'invalid_client' },
  ],
  [
    'an error under the name that Okta gives it',
    refusal('401 Unauthorized', { errorCode: 'invalid_client', errorSummary: LEAK }),
    ENDPOINT,
    /answered 401 with application\/json: invalid_client$/,
    { status: 401, error: 'invalid_client' },
  ],
  [
    '200 with a list of errors',
    json({ errors: [{ code: 'invalid_grant', detail: LEAK }] }),
    ENDPOINT,
    /answered 200 with application\/json: invalid_grant$/,
    { status: 200, error: 'invalid_grant' },
  ],
  ...[{ errors: [{ message: LEAK }] }, { error: true, message: LEAK }, { error: { code: -32500, message: LEAK } }].map(
    (body): (typeof misdeeds)[number] => [
      `200 with an error that has no code: ${Object.keys(body).join()}`,
      json(body),
      ENDPOINT,
      /answered 200 with application\/json$/,
      { status: 200 },
    ],
  ),
  [
    '200 with an error that is no string',
    json({ error: { code: 'invalid_grant', message: LEAK } }),
    ENDPOINT,
    /answered 200 with application\/json: invalid_grant$/,
    { status: 200, error: 'invalid_grant' },
  ],
  [
    "an error code that is the server's own",
    refusal('400 Bad Request', { errorCode: 'E0000021', error: 7 }),
    ENDPOINT,
    /answered 400 with application\/json$/,
    { status: 400 },
  ],
  [
    'an error with control characters',
    refusal('400 Bad Request', { error: 'invalid\r\n\u001b[31m_grant' }),
    ENDPOINT,
    /400 with application\/json, and an error code that is not printed$/,
    { status: 400, error: 'invalid\r\n\u001b[31m_grant' },
  ],
  [
    'an endless error',
    refusal('400 Bad Request', { error: 'x'.repeat(5000), error_description: 'y'.repeat(100_000) }),
    ENDPOINT,
    /^.{0,200}$/,
    { status: 400, error: 'x'.repeat(5000), error_description: 'y'.repeat(100_000) },
  ],
  [
    'an error that quotes the secret',
    refusal('400 Bad Request', { error: 'invalid_client', error_description: `wrong secret ${CLIENT_SECRET}` }),
    ENDPOINT,
    /answered 400 with application\/json: invalid_(client|grant)$/,
    { status: 400, error: 'invalid_client' },
  ],
  [
    'an error that quotes half of it',
    refusal('400 Bad Request', {
      error: 'invalid_client',
      error_description: `wrong secret ${CLIENT_SECRET.slice(0, 12)}...`,
    }),
    ENDPOINT,
    /answered 400 with application\/json: invalid_(client|grant)$/,
    { error: 'invalid_client' },
  ],
  [
    'an error that quotes the Authorization header',
    refusal('400 Bad Request', { error: 'invalid_client', error_description: `Basic ${basic}` }),
    ENDPOINT,
    /answered 400 with application\/json: invalid_(client|grant)$/,
    { error: 'invalid_client' },
  ],
  [
    'an error that quotes a JWT',
    refusal('400 Bad Request', { error: 'invalid_grant', error_description: `eyJhbGciOiJub25lIn0.${LEAK}` }),
    ENDPOINT,
    /answered 400 with application\/json: invalid_(client|grant)$/,
    { error: 'invalid_grant' },
  ],
  [
    'an error code that is the secret',
    refusal('400 Bad Request', { error: CLIENT_SECRET }),
    ENDPOINT,
    /answered 400 with application\/json, and an error code that is not printed$/,
    { status: 400, error: CLIENT_SECRET },
  ],
  [
    '403 with HTML',
    answer(html, { 'content-type': 'text/html' }, '403 Forbidden'),
    ENDPOINT,
    /answered 403 with text\/html \(temporarily_unavailable\)$/,
    { status: 403, error: 'temporarily_unavailable' },
  ],
  [
    '404',
    answer(html, { 'content-type': 'text/html' }, '404 Not Found'),
    ENDPOINT,
    /answered 404 with text\/html$/,
    { status: 404 },
  ],
  [
    '429 with seconds',
    answer('', { 'retry-after': '7' }, '429 Too Many Requests'),
    ENDPOINT,
    /answered 429/,
    { status: 429, retryAfter: 7000 },
  ],
  [
    '503 with a date',
    answer(
      html,
      {
        'content-type': 'text/html',
        date: 'Sun, 06 Nov 1994 08:49:00 GMT',
        'retry-after': 'Sun, 06 Nov 1994 08:49:37 GMT',
      },
      '503 Service Unavailable',
    ),
    ENDPOINT,
    /answered 503 with text\/html/,
    { status: 503, retryAfter: 37_000 },
  ],
  [
    '503 with a wait that is no wait',
    answer('', { 'retry-after': `-1 ${LEAK}` }, '503 Service Unavailable'),
    ENDPOINT,
    /answered 503/,
    { status: 503 },
  ],
  [
    '500 with a token',
    refusal('500 Internal Server Error', token),
    ENDPOINT,
    /answered 500 with application\/json$/,
    { status: 500 },
  ],
  ['a status that HTTP does not know', answer('', {}, `799 ${LEAK}`), ENDPOINT, /799|could not be reached/],
  // Redirects
  [
    '301',
    answer('', { location: `https://evil.example/?${LEAK}` }, '301 Moved Permanently'),
    ENDPOINT,
    /redirect \(301\), which is never followed/,
    { status: 301 },
  ],
  ['302', answer('', { location: '/elsewhere' }, '302 Found'), ENDPOINT, /redirect \(302\)/, { status: 302 }],
  [
    '307, which would repeat the POST',
    answer(html, { location: '/elsewhere' }, '307 Temporary Redirect'),
    ENDPOINT,
    /redirect \(307\)/,
    { status: 307 },
  ],
  ['308 to nowhere', answer('', {}, '308 Permanent Redirect'), ENDPOINT, /redirect \(308\)/, { status: 308 }],
  // Content types
  [
    'a secret as content type',
    answer(html, { 'content-type': `text/${LEAK}/x` }),
    INVALID,
    /200 with an unusual content type, but a body that is not JSON/,
  ],
  [
    'a secret as a content type that looks like one',
    answer(html, { 'content-type': `text/${CLIENT_SECRET}` }, '400 Bad Request'),
    ENDPOINT,
    /answered 400 with an unusual content type$/,
    { status: 400 },
  ],
  [
    'an endless content type',
    answer(html, { 'content-type': `text/${'x'.repeat(5000)}` }),
    INVALID,
    /an unusual content type/,
  ],
  // Lies and sizes
  [
    'more than it promised',
    answer(`${JSON.stringify(token)}${LEAK}`, { 'content-length': '20' }),
    INVALID,
    /a body that is not JSON/,
  ],
  [
    'less than it promised, then the end',
    (socket) => {
      answer(JSON.stringify(token), { 'content-length': '9999' })(socket);
      socket.end();
    },
    ENDPOINT,
    /answered 200 with application\/json, but its body broke off/,
    { status: 200 },
  ],
  [
    'less than it promised, then a reset',
    (socket) => {
      answer(JSON.stringify(token), { 'content-length': '9999' })(socket);
      setTimeout(() => socket.resetAndDestroy(), 20);
    },
    ENDPOINT,
    /broke off/,
    { status: 200 },
  ],
  [
    'less than it promised, then nothing',
    answer(JSON.stringify(token), { 'content-length': '9999' }),
    'TokenFetchTimeoutError',
    /within 1000 ms/,
  ],
  [
    'a negative length',
    answer(JSON.stringify(token), { 'content-length': '-5' }),
    ENDPOINT,
    /could not be reached \(HPE_/,
  ],
  [
    'two lengths',
    answer(JSON.stringify(token), { 'content-length': `5\r\ncontent-length: 6` }),
    ENDPOINT,
    /could not be reached \(HPE_/,
  ],
  [
    'a broken chunk',
    (socket) => socket.write(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${LEAK}\r\n`),
    ENDPOINT,
    /broke off|could not be reached/,
  ],
  ['compression that is none', answer(html, { 'content-encoding': 'gzip' }), ENDPOINT, /broke off/, { status: 200 }],
  // No HTTP at all
  ['silence', () => undefined, 'TokenFetchTimeoutError', /within 1000 ms/],
  [
    'headers that do not end',
    (socket) => socket.write(`HTTP/1.1 200 OK\r\nx-a: ${LEAK}`),
    'TokenFetchTimeoutError',
    /within 1000 ms/,
  ],
  [
    'headers without end',
    endless(`x-a: ${LEAK}\r\n`, 'x-b: 1\r\nx-c:'),
    ENDPOINT,
    /could not be reached \(UND_ERR_HEADERS_OVERFLOW\)/,
  ],
  ['another protocol', (socket) => socket.end(`SSH-2.0-OpenSSH ${LEAK}\r\n`), ENDPOINT, /could not be reached \(HPE_/],
  ['a closed door', (socket) => socket.destroy(), ENDPOINT, /could not be reached \(UND_ERR_SOCKET\)/],
];

/** The failure of the first fetch, seen as a user's log would see it. */
async function failureOf(origin: string): Promise<Error> {
  const source = clientCredentials({
    tokenEndpoint: `${origin}/token?key=${LEAK}`,
    clientId: 'orders',
    clientSecret: CLIENT_SECRET,
  });
  const token$ = createTokenStream(source, { fetchTimeout: 1000 });
  const use$ = token$.pipe(
    ignoreElements(),
    catchError(() => EMPTY),
  );
  const happened$ = token$.events.pipe(
    filter(({ type }) => type === 'refreshFailed' || type === 'tokenChanged'),
    take(1),
  );
  try {
    const event = await firstValueFrom(merge(happened$, use$, NEVER));
    if (event.type !== 'refreshFailed') throw new Error(`the stream said ${event.type}`);
    return event.error as Error;
  } finally {
    token$.close();
  }
}

const everythingIn = (error: Error) =>
  [inspect(error, { showHidden: true, depth: 10 }), JSON.stringify(error), String(error), error.stack].join('\n');

describe('a hostile token endpoint', () => {
  it.each(misdeeds)(
    'should fail clearly, soon and without a secret when it sends %s',
    async (_name, misdeed, errorName, message, expected = {}) => {
      const server = await hostileServer(misdeed);
      try {
        const from = performance.now();
        const error = await failureOf(server.origin);
        expect({ name: error.name, message: error.message }).toEqual({
          name: errorName,
          message: expect.stringMatching(message) as string,
        });
        expect(error).toMatchObject(expected);
        const shown = everythingIn(error);
        for (const secret of [LEAK, CLIENT_SECRET, CLIENT_SECRET.slice(0, 12), basic, 'key='])
          expect(shown).not.toContain(secret);
        expect(performance.now() - from).toBeLessThan(10_000);
        expect(server.requests).toHaveLength(1);
      } finally {
        await server.stop();
      }
    },
  );
});

const oddities: [name: string, misdeed: Misdeed, expected: Record<string, unknown>][] = [
  ['a token without a type', json({ access_token: 'abc' }), { type: 'Bearer' }],
  ['a type of null', json({ access_token: 'abc', token_type: null }), { type: 'Bearer' }],
  ['an empty type', json({ access_token: 'abc', token_type: '' }), { type: 'Bearer' }],
  ['a type with blanks around it', json({ access_token: 'abc', token_type: ' Bearer\r\n' }), { type: 'Bearer' }],
  ['a type that is blank', json({ access_token: 'abc', token_type: ' ' }), { type: 'Bearer' }],
  ['a type with a blank, which is DPoP', json({ access_token: 'abc', token_type: 'dpop ' }), { type: 'DPoP' }],
  [
    'a type that no header can carry',
    json({ access_token: 'abc', token_type: 'Application Access Token' }),
    { type: 'Bearer' },
  ],
  ['a type with a line break', json({ access_token: 'abc', token_type: 'Bearer\r\nX: y' }), { type: 'Bearer' }],
  ['a number as type', json({ access_token: 'abc', token_type: 1 }), { type: 'Bearer' }],
  ['a type in lower case', json({ access_token: 'abc', token_type: 'bearer' }), { type: 'Bearer' }],
  ['a wrong content type', answer('{"access_token":"abc"}', { 'content-type': 'text/html' }), { value: 'abc' }],
  ['no content type', answer('{"access_token":"abc"}', { 'content-type': undefined }), { value: 'abc' }],
  ['a byte order mark', answer('\ufeff{"access_token":"abc"}'), { value: 'abc' }],
  [
    'a form, as the first drafts of OAuth 2.0 had it',
    answer('access_token=a%2Bb&scope=&token_type=bearer&expires_in=60\n', {
      'content-type': 'application/x-www-form-urlencoded',
    }),
    { value: 'a+b', type: 'Bearer' },
  ],
  ['201 Created', answer('{"access_token":"abc"}', {}, '201 Created'), { value: 'abc' }],
  ['the same key twice', answer('{"access_token":5,"access_token":"abc"}'), { value: 'abc' }],
  ['a token and an error', json({ access_token: 'abc', error: 'none' }), { value: 'abc' }],
  ['a life as a string', json({ access_token: 'abc', expires_in: '60' }), { value: 'abc' }],
  ['scopes as an array', json({ access_token: 'abc', scope: ['a', 'b'] }), { value: 'abc', scope: undefined }],
  ['members on the prototype', answer('{"__proto__":{"polluted":1},"access_token":"abc"}'), { value: 'abc' }],
  ['compression', answer(gzipSync('{"access_token":"abc"}'), { 'content-encoding': 'gzip' }), { value: 'abc' }],
  ['the body byte by byte', (socket) => void drip(socket, '{"access_token":"abc"}'), { value: 'abc' }],
];

async function drip(socket: Parameters<Misdeed>[0], body: string) {
  socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${String(body.length)}\r\n\r\n`);
  for (const byte of body) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    socket.write(byte);
  }
}

describe('a sloppy token endpoint', () => {
  it('should be understood when it says in a form and with status 200 why it refuses', async () => {
    const body = 'error=bad_refresh_token&error_description=It+has+expired';
    const server = await hostileServer(answer(body, { 'content-type': 'application/x-www-form-urlencoded' }));
    const source = clientCredentials({ tokenEndpoint: server.origin, clientId: 'orders', clientSecret: CLIENT_SECRET });
    await expect(ask(source)).rejects.toMatchObject({ status: 200, error: 'bad_refresh_token' });
    await server.stop();
  });

  it.each(oddities)('should be understood when it sends %s', async (_name, misdeed, expected) => {
    const server = await hostileServer(misdeed);
    const token$ = createTokenStream(
      clientCredentials({ tokenEndpoint: server.origin, clientId: 'orders', clientSecret: CLIENT_SECRET }),
    );
    try {
      const { value, type, scope } = await firstValueFrom(token$);
      expect({ value, type, scope }).toMatchObject(expected);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    } finally {
      token$.close();
      await server.stop();
    }
  });
});
