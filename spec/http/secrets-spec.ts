import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom } from 'rxjs';
import { createFetch, createHttpClient, type AccessToken } from 'rx-fresh-token';
import {
  answer,
  cleanUp,
  failureOf,
  fetches,
  printed,
  serve,
  stubFetch,
  tokens,
  until,
  warmTokens,
} from './support.js';

afterEach(cleanUp);

const TOKEN = 'SECRET-token';
const QUERY = 'key=SECRET-query';

const secretTokens = () =>
  tokens({ maxWait: 50 }, () => [{ access_token: TOKEN, refresh_token: 'SECRET-refresh', expires_in: 3600 }]);

/** Every failure of one request, by createFetch and by the client's methods. */
async function failuresAt(baseUrl: string, fetch: typeof globalThis.fetch | undefined): Promise<Error[]> {
  const { token$ } = secretTokens();
  const fetchWithToken = createFetch(token$, { baseUrl, fetch });
  const http = createHttpClient(token$, { baseUrl, fetch, timeout: 1000 });
  const url = `/path?${QUERY}#SECRET-fragment`;
  return [
    await failureOf(fetchWithToken(url)),
    await failureOf(fetchWithToken(url)), // with a token at hand
    await failureOf(fetchWithToken(url, { headers: { authorization: 'Basic SECRET-basic' } })),
    await failureOf(firstValueFrom(http.request(url))),
    await failureOf(firstValueFrom(http.get(url))),
    await failureOf(firstValueFrom(http.post(url, { password: 'SECRET-body' }))),
  ];
}

describe.each(fetches)('no secret and no query is in an error, over %s,', (_name, fetch) => {
  it('when nobody listens', async () => {
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    for (const error of await failuresAt(`http://127.0.0.1:${String(port)}`, fetch)) {
      expect(error.name).toBe('TypeError');
      expect((error.cause as { code?: string }).code).toBe('ECONNREFUSED');
      expect(printed(error)).not.toContain('SECRET');
    }
  });

  it('when the name is unknown', async () => {
    for (const error of await failuresAt('https://no-such-host.invalid', fetch)) {
      expect(error.name).toBe('TypeError');
      expect((error.cause as { code?: string }).code).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/);
      expect(printed(error)).not.toContain('SECRET');
    }
  });

  it('when the connection is reset before the answer', async () => {
    const api = await serve((_seen, response) => {
      response.socket?.resetAndDestroy();
    });
    for (const error of await failuresAt(api.origin, fetch)) {
      expect(error.name).toBe('TypeError');
      expect(printed(error)).not.toContain('SECRET');
    }
  });

  it('when the answer is not HTTP', async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end('SSH-2.0-hello\r\n\r\n'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      for (const error of await failuresAt(
        `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
        fetch,
      )) {
        expect(error.name).toBe('TypeError');
        expect(printed(error)).not.toContain('SECRET');
      }
    } finally {
      server.close();
      for (const socket of sockets) socket.destroy();
    }
  });

  it('when the certificate is nobody’s', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rx-fresh-token-tls-'));
    try {
      const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
      try {
        execFileSync(
          'openssl',
          [
            'req',
            '-x509',
            '-newkey',
            'ec',
            '-pkeyopt',
            'ec_paramgen_curve:P-256',
            '-nodes',
            '-subj',
            '/CN=localhost',
            '-days',
            '1',
            '-keyout',
            key,
            '-out',
            cert,
          ],
          { stdio: 'ignore' },
        );
      } catch {
        return; // A machine without openssl: the other cases stand.
      }
      const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) =>
        response.end(),
      );
      server.on('tlsClientError', () => undefined);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      try {
        for (const error of await failuresAt(
          `https://localhost:${String((server.address() as AddressInfo).port)}`,
          fetch,
        )) {
          expect(error.name).toBe('TypeError');
          expect((error.cause as { code?: string }).code).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
          expect(printed(error)).not.toContain('SECRET');
        }
      } finally {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('when the URL cannot be parsed', async () => {
    const { token$ } = secretTokens();
    for (const baseUrl of ['https://api.example.com', undefined]) {
      const fetchWithToken = createFetch(token$, { baseUrl, fetch });
      for (const url of [`https://[bad?${QUERY}`, `https://a b/?${QUERY}`, `https://api.example.com:99999/?${QUERY}`]) {
        const error = await failureOf(fetchWithToken(url));
        expect(error.name).toBe('TypeError');
        expect(printed(error)).not.toContain('SECRET');
      }
    }
  });

  it('when the origin is not allowed', async () => {
    const { token$ } = secretTokens();
    const error = await failureOf(
      createFetch(token$, { baseUrl: 'https://api.example.com', fetch })(`https://evil.example/SECRET-path?${QUERY}`),
    );
    expect(error.code).toBe('ERR_ORIGIN_NOT_ALLOWED');
    expect(error.message).toContain('https://evil.example');
    expect(printed(error)).not.toContain('SECRET');
  });

  it('when the token comes too late', async () => {
    const { token$ } = tokens({ maxWait: 5 }, () => new Promise(() => undefined));
    const error = await failureOf(createFetch(token$, { baseUrl: 'https://api.example.com', fetch })(`/?${QUERY}`));
    expect(error.code).toBe('ERR_TOKEN_UNAVAILABLE');
    expect(printed(error)).not.toContain('SECRET');
  });

  it('when a hop of a redirect fails', async () => {
    const { token$ } = secretTokens();
    let port = 0;
    const api = await serve((_seen, response) => {
      answer(response, 302, '', { location: `http://127.0.0.1:${String(port)}/x?${QUERY}` });
    });
    const gone = await serve(() => undefined);
    ({ port } = gone);
    await gone.close();
    const fetchWithToken = createFetch(token$, { baseUrl: api.origin, fetch });
    for (let i = 0; i < 2; i++) {
      const error = await failureOf(fetchWithToken('/'));
      expect(error.name).toBe('TypeError');
      expect(printed(error)).not.toContain('SECRET');
    }
  });

  it('when a redirect brings credentials', async () => {
    const { token$ } = secretTokens();
    const api = await serve((_seen, response) => {
      answer(response, 302, '', { location: `http://u:SECRET-password@127.0.0.1:${String(api.port)}/x?${QUERY}` });
    });
    const error = await failureOf(createFetch(token$, { baseUrl: api.origin, fetch })('/'));
    expect(error.message).toBe('the server redirected to a URL with credentials');
    expect(printed(error)).not.toContain('SECRET');
    expect(api.seen).toHaveLength(1);
  });

  it('when the connection is reset within the body', async () => {
    const { token$ } = secretTokens();
    const api = await serve((_seen, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('the beginning', () => setTimeout(() => response.socket?.resetAndDestroy(), 10));
    });
    const http = createHttpClient(token$, { baseUrl: api.origin, fetch, timeout: 1000 });
    for (const send of [http.get(`/?${QUERY}`), http.post(`/?${QUERY}`, {})]) {
      const error = await failureOf(firstValueFrom(send));
      expect(error.name).toBe('TypeError');
      expect(printed(error)).not.toContain('SECRET');
    }
  });

  it('when the source fails through the same client', async () => {
    const gone = await serve(() => undefined);
    await gone.close();
    const { token$, events } = tokens(
      { maxWait: 50 },
      ({ signal }) => fetchWithToken(`/token?${QUERY}`, { signal }) as never,
    );
    const fetchWithToken = createFetch(token$, { baseUrl: gone.origin, fetch });
    const refreshed = failureOf(firstValueFrom(token$.refresh()));
    // The cause is the last failure, so there must have been one within `maxWait`.
    await until(() => events.some(({ type }) => type === 'refreshFailed'));
    const error = await failureOf(fetchWithToken('/x'));
    await refreshed;
    expect(error.code).toBe('ERR_TOKEN_UNAVAILABLE');
    expect((error.cause as Error).name).toBe('TypeError');
    expect(printed(error)).not.toContain('SECRET');
    expect(printed(events)).not.toContain('SECRET');
  });

  it.each(['x-api-key', 'authorization'])("when the caller's header %s is none that HTTP allows", async (name) => {
    const { token$ } = await warmTokens();
    for (const headers of [{ [name]: 'SECRET\n1' }, { [`${name} SECRET`]: '1' }]) {
      const error = await failureOf(
        createFetch(token$, { baseUrl: 'https://api.example.com', fetch })('/', { headers }),
      );
      expect(error.name).toBe('TypeError');
      expect(printed(error)).not.toContain('SECRET');
    }
  });

  it('when a header of the token cannot be set', async () => {
    const { token$, events } = tokens({ maxWait: 50 }, (_request, n) => [
      { access_token: `SECRET-${String(n)}\n`, expires_in: 60 },
    ]);
    const error = await failureOf(createFetch(token$, { baseUrl: 'https://api.example.com', fetch })('/'));
    expect((error.cause as { code?: string }).code).toBe('ERR_INVALID_TOKEN_RESPONSE');
    expect(printed(error)).not.toContain('SECRET');
    expect(printed(events)).not.toContain('SECRET');
  });
});

describe('an authorize function that fails', () => {
  it.each<[string, (headers: Headers, token: AccessToken) => void]>([
    ['with a value that no header can carry', (headers, token) => headers.set('x-api-key', `${token.value}\n!`)],
    ['with a name that no header can have', (headers, token) => headers.set(`x ${token.value}`, '1')],
    ['by appending', (headers, token) => headers.append('x-api-key', `${token.value}\0`)],
    [
      'with an error of its own',
      (_headers, token) => {
        throw new Error(`cannot use ${token.value}, not even ${token.value}`);
      },
    ],
    [
      'with an error whose cause does',
      (_headers, token) => {
        throw new Error('cannot sign', { cause: new Error('inner', { cause: token.value }) });
      },
    ],
    [
      'with a text',
      (_headers, token) => {
        throw token.value as unknown;
      },
    ],
  ])('should not spill the token: %s', async (_kind, authorize) => {
    const { token$ } = secretTokens();
    const { fetch, calls } = stubFetch(200);
    const fetchWithToken = createFetch(token$, { baseUrl: 'https://api.example.com', fetch, authorize });
    for (let i = 0; i < 2; i++) expect(printed(await failureOf(fetchWithToken('/')))).not.toContain(TOKEN);
    expect(calls).toHaveLength(0);
  });

  it('should not spill what it made of the token', async () => {
    const { token$ } = tokens({ initial: { access_token: 'SECRET+b/c==', expires_in: 60 } });
    const authorize = (headers: Headers, token: AccessToken) => {
      headers.set('cookie', `s=${encodeURIComponent(token.value)}\0`);
    };
    const error = await failureOf(
      createFetch(token$, { baseUrl: 'https://api.example.com', fetch: stubFetch(200).fetch, authorize })('/'),
    );
    expect(error.message).toBe('a header has a name or value that HTTP does not allow');
    expect(printed(error)).not.toContain('SECRET');
  });

  it('should keep its own error, a null too, where that quotes nothing', async () => {
    const { token$ } = secretTokens();
    for (const mistake of [new Error('no key', { cause: new Error('no file') }), null, undefined, 'no key']) {
      const authorize = () => {
        throw mistake as unknown;
      };
      const fetchWithToken = createFetch(token$, {
        baseUrl: 'https://api.example.com',
        fetch: stubFetch(200).fetch,
        authorize,
      });
      expect(await failureOf(fetchWithToken('/'))).toBe(mistake);
    }
  });
});

describe('what can be logged', () => {
  it('should hold no secret: tokens, events, streams', async () => {
    const { token$, events } = tokens({}, (_request, n) => [
      { access_token: `${TOKEN}-${String(n)}`, refresh_token: 'SECRET-refresh', expires_in: 3600 },
    ]);
    const { fetch } = stubFetch(401, 401, 200);
    const fetchWithToken = createFetch(token$, { baseUrl: 'https://api.example.com', fetch });
    await fetchWithToken(`/?${QUERY}`);
    await fetchWithToken(`/b?${QUERY}`);
    const token = await firstValueFrom(token$);
    for (const value of [token, events, token$, { nested: [token] }, [...events], fetchWithToken])
      expect(printed(value)).not.toContain('SECRET');
    expect([String(token as unknown), JSON.stringify(token), JSON.stringify({ ...token })].join()).not.toContain(
      'SECRET',
    );
    expect(token.value).toBe(`${TOKEN}-2`);
  });

  it('should hold no query: what the source is told', async () => {
    const { token$, asked } = await warmTokens();
    await createFetch(token$, { baseUrl: 'https://api.example.com', fetch: stubFetch(401, 200).fetch })(`/?${QUERY}`);
    expect(asked).toHaveLength(2);
    expect(printed(asked)).not.toContain('SECRET');
  });
});

describe('an answer that names the token', () => {
  it('should not bring it into an HttpStatusError', async () => {
    const { token$ } = secretTokens();
    const api = await serve((seen, response) => {
      answer(response, 400, seen.headers.authorization, { 'x-echo': seen.headers.authorization! });
    });
    const error = await failureOf(firstValueFrom(createHttpClient(token$, { baseUrl: api.origin }).get(`/?${QUERY}`)));
    expect(error.code).toBe('ERR_HTTP_STATUS');
    expect(printed(error)).not.toContain('SECRET');
  });
});

it('the option headers that is a text should be refused without showing it', async () => {
  const { token$ } = await warmTokens();
  const headers = 'authorization: SECRET' as unknown as HeadersInit;
  expect(() => createHttpClient(token$, { headers })).toThrow(
    new TypeError('option "headers" must be headers as fetch takes them, got string'),
  );
});
