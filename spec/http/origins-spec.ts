import { firstValueFrom } from 'rxjs';
import { createFetch, createHttpClient, type FetchOptions } from 'rx-fresh-token';
import { answer, cleanUp, failureOf, printed, serve, stubFetch, tokens, warmTokens } from './support.js';

afterEach(cleanUp);

/** What becomes of one call: the URL that was sent, or the code or name of the error. */
async function fateOf(input: string | URL | Request, options: FetchOptions): Promise<string> {
  const { token$, asked } = tokens();
  const { fetch, calls } = stubFetch(200);
  let error: { code?: string; name: string } | undefined;
  await createFetch(token$, { fetch, ...options })(input).catch((thrown: unknown) => {
    error = thrown as { code?: string; name: string };
  });
  const sent = calls[0]?.input as string | Request;
  if (!error) return typeof sent === 'string' ? sent : sent.url;
  expect(calls).toHaveLength(0);
  expect(asked).toHaveLength(0);
  expect(printed(error)).not.toContain('SECRET');
  return error.code ?? error.name;
}

const REFUSED = 'ERR_ORIGIN_NOT_ALLOWED';

describe('the token goes', () => {
  const options = {
    allowedOrigins: ['https://api.example.com', 'https://api.example.com:8443', 'https://bücher.example'],
  };

  it.each([
    'https://api.example.com',
    'https://api.example.com/',
    'https://api.example.com/v1/orders?q=1#x',
    'https://api.example.com:443/',
    'https://api.example.com:8443/',
    'HTTPS://API.EXAMPLE.COM/x',
    'https:api.example.com/x',
    'https:/api.example.com/x',
    'https:\\\\api.example.com\\x',
    '\thttps://api.exa\nmple.com/x',
    'https://bücher.example/',
    'https://BÜCHER.example/',
    'https://xn--bcher-kva.example/',
    'https://api.example.com/@evil.example/',
    'https://api.example.com/\\evil.example/',
    'https://api.example.com//evil.example/',
    'https://api.example.com/../../x',
  ])('to an allowed origin: %j', async (url) => {
    const sent = await fateOf(url, options);
    expect(new URL(sent).origin).toBe(new URL(url).origin);
    expect(sent).toMatch(/^https:\/\/(api\.example\.com|xn--bcher-kva\.example|bücher\.example)/);
  });

  it.each([
    'https://api.example.com.evil.example/',
    'https://api.example.comevil/',
    'https://api.example.co/',
    'https://api.example.com./',
    'https://evil.example/https://api.example.com/',
    'https://evil.example/?https://api.example.com/SECRET',
    'https://evil.example#https://api.example.com/',
    'https://sub.api.example.com/',
    'https://example.com/',
    'https://api-example.com/',
    'https://api.example.com:444/',
    'https://api.example.com:8444/',
    'https://api.example.com:80/',
    'http://api.example.com/',
    'http://api.example.com:443/',
    'http://api.example.com:8443/',
    'ws://api.example.com/',
    'wss://api.example.com/',
    'ftp://api.example.com/',
    'blob:https://api.example.com/3d0b2f4c-SECRET',
    'data:text/plain,SECRET',
    'file:///etc/passwd',
    'file://api.example.com/etc/passwd',
    'javascript:SECRET',
    'about:blank',
    'filesystem:https://api.example.com/temporary/x',
    '\nhttps://api.example.com\t.evil.example/',
    'https://api.example.com%2Eevil.example/',
    'https://evil.example\\@api.example.com/',
    'https://аpi.example.com/',
    'https://bucher.example/',
    'https://xn--bucher-kva.example/',
  ])('not to %j', async (url) => {
    expect(await fateOf(url, options)).toBe(REFUSED);
    expect(await fateOf(url, { baseUrl: 'https://api.example.com/v1/' })).toBe(REFUSED);
  });

  it.each([
    'https://api.example.com@evil.example/',
    'https://api.example.com:pw@evil.example/SECRET',
    'https://user:SECRET@api.example.com/',
  ])('not to a URL with credentials: %j', async (url) => {
    expect(await fateOf(url, options)).toMatch(/^(ERR_ORIGIN_NOT_ALLOWED|TypeError)$/);
  });

  it.each([
    'https://',
    'http://[SECRET',
    'https://api.example.com:99999/SECRET',
    'https://a b/SECRET',
    '/relative?SECRET',
    '',
  ])('not to %j, which is no absolute URL', async (url) => {
    expect(await fateOf(url, options)).toBe('TypeError');
  });

  it.each([
    '//evil.example/x',
    '\\\\evil.example/x',
    '/\\evil.example/x',
    '\t//evil.example',
    '/\n/evil.example',
    'https://evil.example',
    'HTTPS:\\\\evil.example',
  ])('not to %j, which leaves the base URL', async (url) => {
    expect(await fateOf(url, { baseUrl: 'https://api.example.com/v1/' })).toBe(REFUSED);
  });

  it('by the same rules for a URL and a Request', async () => {
    for (const url of ['https://api.example.com/x', 'https://evil.example/x']) {
      const fate = url.includes('evil') ? REFUSED : url;
      expect(await fateOf(new URL(url), options)).toBe(fate);
      expect(await fateOf(new Request(url), options)).toBe(fate);
    }
  });

  it('by the same rules on the second call', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(200);
    const fetchWithToken = createFetch(token$, { fetch, baseUrl: 'https://api.example.com' });
    for (let i = 0; i < 3; i++) {
      expect((await failureOf(fetchWithToken('//evil.example/x'))).code).toBe(REFUSED);
      expect((await fetchWithToken('/x')).status).toBe(200);
    }
    expect(new Set(calls.map(({ input }) => input))).toEqual(new Set(['https://api.example.com/x']));
  });
});

describe('with neither baseUrl nor allowedOrigins', () => {
  it('should fail every call, and send nothing', async () => {
    for (const url of ['https://api.example.com/', 'http://127.0.0.1/', 'http://localhost:1234/x?SECRET'])
      expect(await fateOf(url, {})).toBe(REFUSED);
    for (const url of ['/x', 'x?SECRET', '']) expect(await fateOf(url, {})).toBe('TypeError');
    const { token$ } = tokens();
    const { fetch, calls } = stubFetch(200);
    expect(
      (await failureOf(firstValueFrom(createHttpClient(token$, { fetch }).get('https://api.example.com/')))).code,
    ).toBe(REFUSED);
    expect(calls).toHaveLength(0);
  });

  it('should do the same with an empty list', async () => {
    expect(await fateOf('https://api.example.com/', { allowedOrigins: [] })).toBe(REFUSED);
  });
});

describe('allowedOrigins', () => {
  it('should replace the origin of baseUrl, not add to it', async () => {
    const options = { baseUrl: 'https://api.example.com', allowedOrigins: ['https://other.example'] };
    expect(await fateOf('/x', options)).toBe(REFUSED);
    expect(await fateOf('https://other.example/x', options)).toBe('https://other.example/x');
  });

  it('should not follow a list that the caller changes later', async () => {
    const { token$ } = await warmTokens();
    const allowedOrigins = ['https://api.example.com'];
    const baseUrl = new URL('https://api.example.com/v1');
    const { fetch, calls } = stubFetch(200);
    const fetchWithToken = createFetch(token$, { allowedOrigins, baseUrl, fetch });
    allowedOrigins.push('https://evil.example');
    baseUrl.host = 'evil.example';
    expect((await failureOf(fetchWithToken('https://evil.example/'))).code).toBe(REFUSED);
    await fetchWithToken('x');
    expect(calls[0]!.input).toBe('https://api.example.com/v1/x');
    expect(baseUrl.pathname).toBe('/v1');
  });

  it.each([
    '*',
    'https://*.example.com',
    'https://*',
    'api.example.com',
    '',
    'null',
    'https://api.example.com/v1',
    'https://api.example.com/?x=SECRET',
    'https://api.example.com/#x',
    'https://user:SECRET@api.example.com',
    'https://SECRET@api.example.com',
    'https://:SECRET@api.example.com',
    'ftp://api.example.com',
    'blob:https://api.example.com/x',
    'data:,SECRET',
    'wss://api.example.com',
  ])('should be rejected at creation when it has %j', (origin) => {
    const { token$ } = tokens();
    for (const create of [createFetch, createHttpClient]) {
      const attempt = () => create(token$, { allowedOrigins: ['https://fine.example', origin] });
      expect(attempt).toThrow(TypeError);
      expect(attempt).toThrow(/allowedOrigins\[1\]/);
      expect(attempt).not.toThrow(/SECRET/);
    }
  });

  it('should be rejected at creation when it is no array', () => {
    const { token$ } = tokens();
    for (const value of ['https://api.example.com', {}, 5, null])
      expect(() => createFetch(token$, { allowedOrigins: value as never })).toThrow(
        /^option "allowedOrigins" must be an array/,
      );
  });
});

describe('an error', () => {
  it.each([
    ['https://*.example', 'one exact origin such as https://api.example.com', 'https://*.example/'],
    ['ftp://api.example', 'an absolute URL such as https://api.example.com', 'ftp:'],
    ['localhost:3000', 'an absolute URL such as https://api.example.com', 'localhost:'],
    ['user:SECRET@api.example', 'an absolute URL such as https://api.example.com', '…'],
    ['https://user:SECRET@api.example', 'a URL without credentials', 'https://api.example/'],
    ['http://api.example', 'https, or http on loopback (elsewhere: allowInsecureRequests)', 'http://api.example/'],
  ])('should say what the origin %s should be', (origin, range, shown) => {
    expect(() => createFetch(tokens().token$, { allowedOrigins: [origin] })).toThrow(
      new TypeError(`option "allowedOrigins[0]" must be ${range}, got "${shown}"`),
    );
  });

  it('should name what was wrong, up to where a secret may begin', async () => {
    const { token$ } = tokens();
    expect(() => createFetch(token$, { baseUrl: 'api.example.com/v1?key=SECRET' })).toThrow(
      /"api\.example\.com\/v1…"$/,
    );
    for (const more of ['?key=SECRET', '#SECRET'])
      expect(() => createFetch(token$, { baseUrl: `https://api.example.com/v1${more}` })).toThrow(
        'option "baseUrl" must be a URL without query and fragment, got "https://api.example.com/v1"',
      );
    expect(() => createFetch(token$, { baseUrl: 'http://api.example.com/v1?key=SECRET' })).toThrow(
      /"http:\/\/api\.example\.com\/v1"$/,
    );
    const fetchWithToken = createFetch(token$, { baseUrl: 'https://api.example.com' });
    expect((await failureOf(fetchWithToken('https://elsewhere.example/?SECRET'))).message).toContain(
      'to https://elsewhere.example:',
    );
    expect((await failureOf(fetchWithToken('data:,SECRET'))).message).toContain('to data::');
    expect((await failureOf(fetchWithToken('https://[SECRET'))).message).toBe('the URL cannot be parsed');
    expect((await failureOf(createFetch(token$)('/x'))).message).toMatch(/^the URL cannot be parsed: .* no base URL$/);
  });
});

describe('http:', () => {
  const loopback = [
    'http://localhost',
    'http://localhost:3000',
    'http://LOCALHOST',
    'http://127.0.0.1',
    'http://127.1',
    'http://2130706433',
    'http://127.8.9.1:80',
    'http://[::1]:8080',
    'http://[0:0:0:0:0:0:0:1]',
  ];
  const elsewhere = [
    'http://api.example.com',
    'http://127.0.0.1.evil.example',
    'http://127.0.0.1.nip.io',
    'http://localhost.evil.example',
    'http://api.localhost',
    'http://keycloak:8080',
    'http://orders.default.svc',
    'http://evil-localhost',
    'http://notlocalhost',
    'http://128.0.0.1',
    'http://0.0.0.0',
    'http://10.0.0.1',
    'http://192.168.0.1',
    'http://[::2]',
    'http://[::]',
    'http://[fe80::1]',
    'http://127.0.0.evil.example',
    'http://1127.0.0.1.example',
  ];

  it.each(loopback)('should be allowed on loopback: %s', async (origin) => {
    expect(new URL(await fateOf('/x', { baseUrl: origin })).origin).toBe(new URL(origin).origin);
    expect(new URL(await fateOf(`${origin}/x`, { allowedOrigins: [origin] })).origin).toBe(new URL(origin).origin);
  });

  it.each(elsewhere)('should be a TypeError at creation elsewhere: %s', (origin) => {
    const { token$ } = tokens();
    expect(() => createFetch(token$, { baseUrl: `${origin}/v1?SECRET` })).toThrow(TypeError);
    expect(() => createFetch(token$, { baseUrl: `${origin}/v1?SECRET` })).toThrow(/"baseUrl".*https/);
    expect(() => createFetch(token$, { baseUrl: `${origin}/v1?SECRET` })).not.toThrow(/SECRET/);
    expect(() => createFetch(token$, { allowedOrigins: [origin] })).toThrow(/"allowedOrigins\[0\]".*https/);
  });

  it.each(elsewhere)('should be OriginNotAllowedError at the call elsewhere: %s', async (origin) => {
    expect(
      await fateOf(`${origin}/x`, { allowedOrigins: ['https://api.example.com', origin.replace('http:', 'https:')] }),
    ).toBe(REFUSED);
  });

  it('should be said to have no base URL, where neither that nor allowedOrigins is given', async () => {
    const { token$ } = tokens();
    const refused = (given: FetchOptions) => createFetch(token$, given)('https://api.example.com/').catch(String);
    const message =
      'OriginNotAllowedError: the token may not go to https://api.example.com: it is not in allowedOrigins';
    expect(await refused({})).toBe(`${message}, and there is no base URL`);
    expect(await refused({ allowedOrigins: [] })).toBe(message);
    expect(await refused({ baseUrl: 'https://elsewhere.example' })).toBe(message);
  });

  it('should reach a server on [::1]', async () => {
    const api = await serve((_seen, response) => {
      answer(response, 200, 'six');
    }, '::1');
    const { token$ } = tokens();
    expect(await (await createFetch(token$, { baseUrl: api.origin })('/')).text()).toBe('six');
    expect(api.authorizations()).toEqual(['Bearer T1']);
  });
});

describe('allowInsecureRequests', () => {
  it.each(['http://keycloak:8080', 'http://orders.default.svc'])(
    'should allow plain http to an origin that is named: %s',
    async (origin) => {
      const allowInsecureRequests = true;
      expect(await fateOf('/x', { baseUrl: `${origin}/v1`, allowInsecureRequests })).toBe(`${origin}/v1/x`);
      expect(await fateOf(`${origin}/x`, { allowedOrigins: [origin], allowInsecureRequests })).toBe(`${origin}/x`);
    },
  );

  it('should allow no other origin, and nothing where it is false', async () => {
    const options = { baseUrl: 'https://api.example.com', allowInsecureRequests: true };
    for (const url of ['http://api.example.com/x', 'http://elsewhere/x', 'http://10.0.0.1/'])
      expect(await fateOf(url, options)).toBe(REFUSED);
    for (const allowInsecureRequests of [false, undefined])
      expect(() => createFetch(tokens().token$, { baseUrl: 'http://keycloak:8080', allowInsecureRequests })).toThrow(
        /^option "baseUrl" must be https, .*allowInsecureRequests.*"http:\/\/keycloak:8080\/"$/,
      );
  });

  it('should be rejected at creation when it is no boolean', () => {
    for (const value of ['true', 1, {}, null])
      expect(() => createFetch(tokens().token$, { allowInsecureRequests: value as boolean })).toThrow(
        /^option "allowInsecureRequests" must be true or false/,
      );
  });
});

describe('baseUrl', () => {
  it.each([
    ['https://api.example.com', '', 'https://api.example.com/'],
    ['https://api.example.com', 'orders', 'https://api.example.com/orders'],
    ['https://api.example.com', '/orders', 'https://api.example.com/orders'],
    ['https://api.example.com/v1', 'orders', 'https://api.example.com/v1/orders'],
    ['https://api.example.com/v1/', 'orders', 'https://api.example.com/v1/orders'],
    ['https://api.example.com/v1', '/orders', 'https://api.example.com/v1/orders'],
    ['https://api.example.com/v1/', '/orders?a=b#c', 'https://api.example.com/v1/orders?a=b#c'],
    ['https://api.example.com/v1', ' \\orders', 'https://api.example.com/v1/orders'],
    ['https://api.example.com/v1', '/', 'https://api.example.com/v1/'],
    ['https://api.example.com/v1', '', 'https://api.example.com/v1'],
    ['https://api.example.com/v1/', '', 'https://api.example.com/v1/'],
    ['https://api.example.com/v1', ' ', 'https://api.example.com/v1'],
    ['https://api.example.com/v1', '#c', 'https://api.example.com/v1#c'],
    ['https://api.example.com/v1/', '#c', 'https://api.example.com/v1/#c'],
    ['https://api.example.com/v1', '.', 'https://api.example.com/v1/'],
    ['https://api.example.com/v1', '../v2/orders', 'https://api.example.com/v2/orders'],
    ['https://api.example.com/v1', './orders?a=b', 'https://api.example.com/v1/orders?a=b'],
    ['https://api.example.com/v1', '?a=b', 'https://api.example.com/v1?a=b'],
    ['https://api.example.com/v1', '/?a=b', 'https://api.example.com/v1/?a=b'],
    ['https://api.example.com', '?a=b', 'https://api.example.com/?a=b'],
    ['https://api.example.com/v1', 'https://api.example.com/x', 'https://api.example.com/x'],
    ['https://api.example.com/a%20b', 'c d', 'https://api.example.com/a%20b/c%20d'],
  ])('%s and %j should make %s', async (baseUrl, url, whole) => {
    expect(await fateOf(url, { baseUrl })).toBe(whole);
    expect(await fateOf(url, { baseUrl: new URL(baseUrl) })).toBe(whole);
  });

  it.each([
    '',
    '/v1',
    'api.example.com',
    'ftp://api.example.com',
    'shttp://api.example.com',
    'https://user:SECRET@api.example.com',
    'https://SECRET@api.example.com',
    'https://:SECRET@api.example.com',
    'https://user:SECRET@api.example.com:99999',
    'https://user:SEC/RET@api.example.com:99999',
    'user:SECRET@api.example.com',
    'SECRET:x@api.example.com',
    'file:///x',
    'data:,SECRET',
    'https://',
    null,
    5,
    {},
  ])('should be rejected at creation when it is %j', (value) => {
    const { token$ } = tokens();
    const create = () => createFetch(token$, { baseUrl: value as string });
    expect(create).toThrow(TypeError);
    expect(create).toThrow(/"baseUrl"/);
    expect(create).not.toThrow(/SECRET|SEC\/RET/i);
  });

  it('should be the page where there is no other', async () => {
    const root = globalThis as { location?: unknown };
    root.location = { href: 'https://page.example/folder/index.html' };
    try {
      expect(await fateOf('api/orders', { allowedOrigins: ['https://page.example'] })).toBe(
        'https://page.example/folder/api/orders',
      );
      expect(await fateOf('api/orders', {})).toBe(REFUSED);
    } finally {
      delete root.location;
    }
  });

  it('should be what the page says its base is, since that decides where a relative URL goes', async () => {
    const root = globalThis as { location?: unknown; document?: unknown };
    root.location = { href: 'https://page.example/index.html' };
    root.document = { baseURI: 'https://elsewhere.example/' };
    try {
      expect(await fateOf('api/orders', { allowedOrigins: ['https://page.example'] })).toBe(REFUSED);
    } finally {
      delete root.location;
      delete root.document;
    }
  });
});
