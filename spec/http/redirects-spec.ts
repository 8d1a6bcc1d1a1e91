import { firstValueFrom } from 'rxjs';
import { createFetch, createHttpClient, type AccessToken } from 'rx-fresh-token';
import { dropsBody, mayHaveBeenAccepted } from '../../src/http/redirect.js';
import {
  answer,
  cleanUp,
  failureOf,
  fetches,
  guarded,
  printed,
  serve,
  stubFetch,
  tokens,
  until,
  warmTokens,
  type Handler,
} from './support.js';

afterEach(cleanUp);

/** Redirects from each path of `routes` to its location; answers 200 elsewhere. */
const redirecting =
  (status: number, routes: Record<string, string>, end = 200): Handler =>
  ({ path }, response) => {
    const location = routes[path];
    if (location === undefined) answer(response, end, `end of ${path}`);
    else answer(response, status, 'moved', { location });
  };

const authorize = (headers: Headers, token: AccessToken): void => {
  headers.set('x-api-key', token.value);
};

describe.each(fetches)('a redirect, over %s', (_name, fetch) => {
  describe('on the same origin', () => {
    it('should be seen in a clone of the response, too', async () => {
      const api = await serve(redirecting(302, { '/a': '/b' }));
      const response = await createFetch(tokens().token$, { baseUrl: api.origin, fetch })('/a');
      const clone = response.clone().clone();
      expect([clone.redirected, clone.url, await clone.text()]).toEqual([true, `${api.origin}/b`, 'end of /b']);
      expect(await response.text()).toBe('end of /b');
    });

    it.each([301, 302, 303, 307, 308])('should keep the token after %i', async (status) => {
      const api = await serve(redirecting(status, { '/a': '/b' }));
      const { token$ } = tokens();
      const response = await createFetch(token$, { baseUrl: api.origin, fetch })('/a', { headers: { 'x-trace': '7' } });
      expect([response.status, await response.text()]).toEqual([200, 'end of /b']);
      expect([response.redirected, response.url]).toEqual([true, `${api.origin}/b`]);
      expect(
        api.seen.map(({ method, path, headers }) => [method, path, headers.authorization, headers['x-trace']]),
      ).toEqual([
        ['GET', '/a', 'Bearer T1', '7'],
        ['GET', '/b', 'Bearer T1', '7'],
      ]);
    });

    it.each([
      [301, 'POST', 'GET'],
      [302, 'POST', 'GET'],
      [303, 'POST', 'GET'],
      [303, 'PUT', 'GET'],
      [303, 'HEAD', 'HEAD'],
      [301, 'PUT', 'PUT'],
      [302, 'DELETE', 'DELETE'],
      [307, 'POST', 'POST'],
      [308, 'PATCH', 'PATCH'],
    ])(
      'should turn, after %i, %s into %s, and drop the body and its headers only with the method',
      async (status, method, then) => {
        const api = await serve(redirecting(status, { '/a': '/b' }));
        const { token$ } = tokens();
        const body = method === 'HEAD' ? undefined : '{"n":1}';
        await createFetch(token$, { baseUrl: api.origin, fetch })('/a', {
          method,
          body,
          headers: { 'content-type': 'application/json', 'content-language': 'de' },
        });
        const kept = method === then && body !== undefined;
        expect(api.seen[1]).toMatchObject({ method: then, path: '/b', headers: { authorization: 'Bearer T1' } });
        expect(api.seen[1]!.body.toString()).toBe(kept ? body : '');
        if (!kept && method !== 'HEAD') {
          expect(api.seen[1]!.headers['content-type']).toBeUndefined();
          expect(api.seen[1]!.headers['content-language']).toBeUndefined();
        }
        if (kept) expect(api.seen[1]!.headers['content-type']).toBe('application/json');
      },
    );

    it('should resolve a relative Location against the hop that sent it', async () => {
      const routes: Record<string, string> = { '/a/b': '../c/d?x=1', '/c/d?x=1': 'e', '/c/e': '?y=2' };
      const api = await serve(redirecting(302, routes));
      routes['/c/e?y=2'] = `//127.0.0.1:${String(api.port)}/f`;
      const { token$ } = tokens();
      const response = await createFetch(token$, { baseUrl: api.origin, fetch })('/a/b');
      expect(await response.text()).toBe('end of /f');
      expect(api.seen.map(({ path }) => path)).toEqual(['/a/b', '/c/d?x=1', '/c/e', '/c/e?y=2', '/f']);
      expect(new Set(api.authorizations())).toEqual(new Set(['Bearer T1']));
    });

    it('should use a new custom header on each hop', async () => {
      const api = await serve(redirecting(307, { '/a': '/b' }));
      const { token$ } = tokens();
      await createFetch(token$, { baseUrl: api.origin, fetch, authorize })('/a');
      expect(api.seen.map(({ headers }) => [headers['x-api-key'], headers.authorization])).toEqual([
        ['T1', undefined],
        ['T1', undefined],
      ]);
    });

    it('should have a rejection at its end repeated there with the new token, not from the start', async () => {
      const api = await serve((seen, response) => {
        if (seen.path === '/a') answer(response, 307, '', { location: '/b' });
        else answer(response, seen.headers.authorization === 'Bearer T2' ? 200 : 401, seen.body.toString());
      });
      const { token$, asked } = tokens();
      const response = await createFetch(token$, { baseUrl: api.origin, fetch })('/a', {
        method: 'POST',
        body: 'order',
      });
      expect([response.status, await response.text()]).toEqual([200, 'order']);
      expect([response.redirected, new URL(response.url).pathname]).toEqual([true, '/b']);
      expect(api.seen.map(({ path, headers }) => [path, headers.authorization])).toEqual([
        ['/a', 'Bearer T1'],
        ['/b', 'Bearer T1'],
        ['/b', 'Bearer T2'],
      ]);
      expect(asked).toHaveLength(2);
    });

    it.each([
      ['GET', { method: 'GET' }],
      ['HEAD', { method: 'HEAD' }],
      ['call without a method', {}],
    ])('should have a %s repeated from the start, since it may have led to a sign-in', async (_what, init) => {
      const api = await serve(({ path, headers }, response) => {
        const isSignedIn = headers.authorization === 'Bearer T2';
        if (path.startsWith('/orders') && !isSignedIn) answer(response, 302, '', { location: '/sign-in' });
        else answer(response, 200, path);
      });
      const { token$, asked } = await warmTokens();
      const fetchWithToken = createFetch(token$, {
        baseUrl: api.origin,
        fetch,
        isRejection: ({ url }) => url.endsWith('/sign-in'),
      });
      const response = await fetchWithToken('/orders', init);
      expect([response.status, new URL(response.url).pathname, response.redirected]).toEqual([200, '/orders', false]);
      expect(asked).toHaveLength(2);
    });

    it.each([
      [301, 'POST', 'order'],
      [302, 'POST', 'order'],
      [303, 'POST', 'order'],
      [303, 'DELETE', null],
    ])('should never send again what a server accepted with %i: %s', async (status, method, body) => {
      const api = await serve((seen, response) => {
        if (seen.path === '/orders') answer(response, status, '', { location: '/orders/7' });
        else answer(response, 403, 'forbidden');
      });
      const { token$ } = await warmTokens();
      const response = await createFetch(token$, { baseUrl: api.origin, fetch })('/orders', { method, body });
      expect([response.status, await response.text()]).toEqual([403, 'forbidden']);
      expect(api.seen.map((seen) => `${seen.method} ${seen.path} ${seen.headers.authorization!}`)).toEqual([
        `${method} /orders Bearer T1`,
        'GET /orders/7 Bearer T1',
        'GET /orders/7 Bearer T2',
      ]);
    });

    it('should have the resource at its end remembered, not the one at its start', async () => {
      const api = await serve((seen, response) => {
        if (seen.method === 'POST') answer(response, 303, '', { location: '/orders/7' });
        else answer(response, 403, 'forbidden');
      });
      const { token$, asked } = await warmTokens();
      const fetchWithToken = createFetch(token$, { baseUrl: api.origin, fetch });
      await fetchWithToken('/orders', { method: 'POST' });
      await fetchWithToken('/orders/7');
      await fetchWithToken('/other', { method: 'POST' });
      expect(api.seen).toHaveLength(6);
      expect(asked).toHaveLength(2);
    });
  });

  describe('to another origin', () => {
    it.each([301, 302, 303, 307, 308])(
      'should never carry the token after %i, to an allowed one neither',
      async (status) => {
        const other = await serve(redirecting(status, {}));
        const api = await serve(redirecting(status, { '/a': `${other.origin}/b` }));
        for (const allowedOrigins of [undefined, [api.origin, other.origin]]) {
          const { token$ } = tokens();
          const response = await createFetch(token$, { baseUrl: api.origin, allowedOrigins, fetch })('/a', {
            headers: { 'x-trace': '7' },
          });
          expect(await response.text()).toBe('end of /b');
        }
        expect(other.seen.map(({ headers }) => [headers.authorization, headers['x-trace']])).toEqual([
          [undefined, '7'],
          [undefined, '7'],
        ]);
        expect(JSON.stringify(other.seen.map(({ headers }) => headers))).not.toContain('T1');
      },
    );

    it('should never carry it in a custom header', async () => {
      const other = await serve(redirecting(307, {}));
      const api = await serve(redirecting(307, { '/a': `${other.origin}/b` }));
      const { token$ } = tokens();
      await createFetch(token$, { baseUrl: api.origin, allowedOrigins: [api.origin, other.origin], fetch, authorize })(
        '/a',
        { method: 'POST', body: 'order' },
      );
      expect(api.seen[0]!.headers['x-api-key']).toBe('T1');
      expect(other.seen).toHaveLength(1);
      expect(other.seen[0]!.body.toString()).toBe('order');
      expect(JSON.stringify(other.seen[0]!.headers)).not.toContain('T1');
    });

    it('should drop cookies and proxy credentials of the caller too', async () => {
      const other = await serve(redirecting(302, {}));
      const api = await serve(redirecting(302, { '/a': `${other.origin}/b` }));
      const { token$ } = tokens();
      await createFetch(token$, { baseUrl: api.origin, fetch })('/a', {
        headers: { cookie: 'c=1', 'Proxy-Authorization': 'Basic x' },
      });
      expect(other.seen[0]!.headers.cookie).toBeUndefined();
      expect(other.seen[0]!.headers['proxy-authorization']).toBeUndefined();
    });

    it("should be rejected with mode: 'same-origin', and followed on the origin", async () => {
      const other = await serve(redirecting(302, {}));
      const api = await serve(redirecting(302, { '/a': '/b', '/b': `${other.origin}/c`, '/d': '/e' }));
      const { token$ } = tokens();
      const send = createFetch(token$, { baseUrl: api.origin, fetch });
      const error = await failureOf(send('/a', { mode: 'same-origin' }));
      expect([error.name, other.seen.length]).toEqual(['TypeError', 0]);
      expect(error.message).toContain('"same-origin"');
      expect((await send('/d', { mode: 'same-origin' })).status).toBe(200);
    });

    it('should not regain it on the way back', async () => {
      const routes: Record<string, string> = {};
      const api = await serve(redirecting(302, routes));
      const other = await serve(redirecting(302, { '/b': `${api.origin}/c` }));
      routes['/a'] = `${other.origin}/b`;
      routes['/c'] = '/d';
      for (const custom of [undefined, authorize]) {
        api.seen.length = 0;
        const { token$ } = tokens();
        const response = await createFetch(token$, {
          baseUrl: api.origin,
          allowedOrigins: [api.origin, other.origin],
          fetch,
          authorize: custom,
        })('/a');
        expect(await response.text()).toBe('end of /d');
        expect(
          api.seen.map(({ path, headers }) => [path, (headers.authorization ?? headers['x-api-key']) !== undefined]),
        ).toEqual([
          ['/a', true],
          ['/c', false],
          ['/d', false],
        ]);
      }
    });

    it('should differ by port and by name, though both are this machine', async () => {
      const other = await serve(redirecting(302, {}));
      const api = await serve(
        redirecting(302, {
          '/port': `${other.origin}/b`,
          '/name': `${other.origin.replace('127.0.0.1', 'localhost')}/b`,
        }),
      );
      const { token$ } = tokens();
      const fetchWithToken = createFetch(token$, { baseUrl: api.origin, fetch });
      await fetchWithToken('/port');
      await fetchWithToken('/name');
      expect(other.authorizations()).toEqual([undefined, undefined]);
      const named = createFetch(token$, { baseUrl: api.origin.replace('127.0.0.1', 'localhost'), fetch });
      await named('/port');
      expect(other.authorizations()).toEqual([undefined, undefined, undefined]);
    });

    it.each([401, 403])('should cause no refresh when %i is the answer there', async (status) => {
      const other = await serve(redirecting(302, {}, status));
      const api = await serve(redirecting(302, { '/a': `${other.origin}/b` }));
      const { token$, asked, events } = await warmTokens();
      const response = await createFetch(token$, {
        baseUrl: api.origin,
        allowedOrigins: [api.origin, other.origin],
        fetch,
      })('/a');
      expect([response.status, await response.text()]).toEqual([status, 'end of /b']);
      expect([api.seen.length, other.seen.length, asked.length]).toEqual([1, 1, 1]);
      expect(events.map(({ type }) => type)).not.toContain('tokenRejected');
    });

    it('should cause no refresh when the answer is a rejection back at home', async () => {
      const routes: Record<string, string> = {};
      const api = await serve(redirecting(302, routes, 401));
      const other = await serve(redirecting(302, { '/b': `${api.origin}/c` }));
      routes['/a'] = `${other.origin}/b`;
      const { token$, asked } = await warmTokens();
      expect((await createFetch(token$, { baseUrl: api.origin, fetch })('/a')).status).toBe(401);
      expect(asked).toHaveLength(1);
    });
  });

  describe('without end', () => {
    it('should fail with a TypeError after 20 hops, whose text has no query', async () => {
      const api = await serve((_seen, response) => {
        answer(response, 302, '', { location: `/again?n=SECRET${String(api.seen.length)}` });
      });
      const { token$ } = tokens();
      const error = await failureOf(createFetch(token$, { baseUrl: api.origin, fetch })('/a'));
      expect(error.name).toBe('TypeError');
      expect(printed(error)).not.toMatch(/SECRET|T1/);
      expect(api.seen).toHaveLength(21);
    });

    it('should follow 20 hops', async () => {
      const api = await serve((_seen, response) => {
        if (api.seen.length <= 20) answer(response, 302, '', { location: '/again' });
        else answer(response, 200, 'home');
      });
      const { token$ } = tokens();
      expect(await (await createFetch(token$, { baseUrl: api.origin, fetch })('/a')).text()).toBe('home');
    });
  });

  describe('to nowhere', () => {
    it.each([
      'mailto:a@b.c?subject=SECRET',
      'data:text/plain,SECRET',
      'file:///etc/passwd?SECRET',
      'javascript:alert("SECRET")',
      'http://[SECRET',
      'http://SECRET@127.0.0.1/',
      'http://:SECRET@127.0.0.1/',
    ])('should fail with a TypeError that says what happened, and does not quote %s', async (location) => {
      const api = await serve(redirecting(302, { '/a': location }));
      const { token$ } = tokens();
      const error = await failureOf(createFetch(token$, { baseUrl: api.origin, fetch })('/a'));
      expect(error.name).toBe('TypeError');
      expect(error.message).toMatch(/^the server redirected to /);
      expect(printed(error)).not.toContain('SECRET');
      expect(api.seen).toHaveLength(1);
    });

    it('should be the answer when it has no Location', async () => {
      const api = await serve((_seen, response) => {
        answer(response, 302, 'nowhere');
      });
      const { token$ } = tokens();
      const response = await createFetch(token$, { baseUrl: api.origin, fetch })('/a');
      expect([response.status, await response.text(), response.redirected]).toEqual([302, 'nowhere', false]);
    });

    it.each([300, 304, 305])('should not be taken from %i', async (status) => {
      const api = await serve((_seen, response) => {
        answer(response, status, '', { location: '/b' });
      });
      const { token$ } = tokens();
      expect((await createFetch(token$, { baseUrl: api.origin, fetch })('/a')).status).toBe(status);
      expect(api.seen).toHaveLength(1);
    });
  });

  describe('that the caller wants otherwise', () => {
    it("should be the answer with redirect: 'manual'", async () => {
      const api = await serve(redirecting(302, { '/a': '/b' }));
      const { token$ } = tokens();
      const response = await createFetch(token$, { baseUrl: api.origin, fetch })('/a', { redirect: 'manual' });
      expect(response.status).toBe(302);
      expect(response.headers.get('location')).toMatch(/\/b$/);
      expect(api.seen).toHaveLength(1);
    });

    it("should be repeated with redirect: 'manual' too when the token was rejected", async () => {
      const api = await serve(guarded('T2'));
      const { token$ } = await warmTokens();
      const response = await createFetch(token$, { baseUrl: api.origin, fetch })('/a', { redirect: 'manual' });
      expect([response.status, await response.text()]).toEqual([200, 'hello T2']);
    });

    it("should fail with redirect: 'error', without the query", async () => {
      const api = await serve(redirecting(302, { '/a?q=SECRET': '/b?q=SECRET' }));
      const { token$ } = tokens();
      const error = await failureOf(
        createFetch(token$, { baseUrl: api.origin, fetch })('/a?q=SECRET', { redirect: 'error' }),
      );
      expect(error.name).toBe('TypeError');
      expect(printed(error)).not.toContain('SECRET');
      expect(api.seen).toHaveLength(1);
    });
  });

  it('should be aborted on a later hop, with the reason', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const api = await serve((seen, response) => {
      if (seen.path === '/a') answer(response, 302, '', { location: '/b' });
      else controller.abort(reason);
    });
    for (const { token$ } of [tokens(), await warmTokens()]) {
      expect(
        await failureOf(createFetch(token$, { baseUrl: api.origin, fetch })('/a', { signal: controller.signal })),
      ).toBe(reason);
    }
  });

  it.each([
    ['in a circle', '/again'],
    ['to nowhere', 'mailto:a@b.c'],
  ])('should not hold connections by large bodies: %s', async (_kind, location) => {
    const large = 'x'.repeat(400_000);
    const api = await serve((_seen, response) => {
      answer(response, 302, large, { location });
    });
    const { token$ } = await warmTokens();
    const fetchWithToken = createFetch(token$, { baseUrl: api.origin, fetch });
    for (let i = 0; i < 2; i++) expect((await failureOf(fetchWithToken('/a'))).name).toBe('TypeError');
    // Those that were still sending when the last one failed.
    await until(() => api.sockets.size <= 4);
  });

  it('should send a body that can be read once no second time', async () => {
    const api = await serve(redirecting(307, { '/a': '/b' }));
    const { token$ } = tokens();
    const { Readable } = await import('node:stream');
    const body = fetch ? Readable.from(['once']) : new Blob(['once']).stream();
    const error = await failureOf(
      createFetch(token$, { baseUrl: api.origin, fetch })('/a', {
        method: 'POST',
        body,
        duplex: 'half',
      } as unknown as RequestInit),
    );
    expect(error.name).toBe('TypeError');
    expect(api.seen.map(({ body: sent }) => sent.toString())).toEqual(['once']);
  });
});

it.each([
  ['GET', false],
  ['HEAD', false],
  ['POST', true],
])('a %s that is redirected by 303 should lose its body and what speaks of it: %p', (method, dropped) => {
  expect(dropsBody(303, method)).toBe(dropped);
});

// node-fetch resolves a Location itself, byte by byte.
it.each([
  ['/caf\u00e9', '/caf%C3%A9'],
  ['/茶?q=ü', '/%E8%8C%B6?q=%C3%BC'],
  ['/%E8%8C%B6', '/%E8%8C%B6'],
])('a Location in UTF-8 should be read as fetch does: %s', async (location, path) => {
  const api = await serve((seen, response) => {
    // Node writes a header byte by byte.
    if (seen.path === '/a') answer(response, 302, '', { location: Buffer.from(location).toString('latin1') });
    else answer(response, 200);
  });
  const { token$ } = tokens();
  await createFetch(token$, { baseUrl: api.origin })('/a');
  expect(api.seen.map((seen) => seen.path)).toEqual(['/a', path]);
});

describe('a redirected Request', () => {
  it('should keep its body, its type and its signal', async () => {
    const api = await serve(redirecting(307, { '/a': '/b', '/b': '/c' }));
    const { token$ } = tokens();
    const request = new Request(`${api.origin}/a`, {
      method: 'POST',
      body: 'order',
      headers: { 'content-type': 'application/x-order' },
    });
    await createFetch(token$, { baseUrl: api.origin })(request);
    expect(
      api.seen.map(({ path, body, headers }) => [
        path,
        body.toString(),
        headers['content-type'],
        headers.authorization,
      ]),
    ).toEqual([
      ['/a', 'order', 'application/x-order', 'Bearer T1'],
      ['/b', 'order', 'application/x-order', 'Bearer T1'],
      ['/c', 'order', 'application/x-order', 'Bearer T1'],
    ]);
  });

  it("should respect the Request's own redirect mode", async () => {
    const api = await serve(redirecting(302, { '/a': '/b' }));
    const { token$ } = tokens();
    const fetchWithToken = createFetch(token$, { baseUrl: api.origin });
    expect((await fetchWithToken(new Request(`${api.origin}/a`, { redirect: 'manual' }))).status).toBe(302);
    expect((await failureOf(fetchWithToken(new Request(`${api.origin}/a`, { redirect: 'error' })))).name).toBe(
      'TypeError',
    );
  });

  it('should keep its method and body where the init has undefined ones', async () => {
    const api = await serve(redirecting(307, { '/a': '/b' }));
    const { token$ } = tokens();
    const request = new Request(`${api.origin}/a`, { method: 'PUT', body: 'order' });
    await createFetch(token$, { baseUrl: api.origin })(request, { method: undefined, body: undefined });
    expect(api.seen.map(({ method, path, body }) => [method, path, body.toString()])).toEqual([
      ['PUT', '/a', 'order'],
      ['PUT', '/b', 'order'],
    ]);
  });

  it('should keep its signal where the init has an undefined one', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const api = await serve((seen, response) => {
      if (seen.path === '/a') answer(response, 302, '', { location: '/b' });
      else controller.abort(reason);
    });
    const { token$ } = tokens();
    const request = new Request(`${api.origin}/a`, { signal: controller.signal });
    expect(await failureOf(createFetch(token$, { baseUrl: api.origin })(request, { signal: undefined }))).toBe(reason);
  });

  it('should be aborted by its signal on a later hop', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const api = await serve((seen, response) => {
      if (seen.path === '/a') answer(response, 302, '', { location: '/b' });
      else controller.abort(reason);
    });
    const { token$ } = tokens();
    expect(
      await failureOf(
        createFetch(token$, { baseUrl: api.origin })(new Request(`${api.origin}/a`, { signal: controller.signal })),
      ),
    ).toBe(reason);
    await until(() => api.cut.includes('/b'));
  });
});

it.each<[string, RequestInit, string, string]>([
  ['goes in a circle', {}, '/a', 'the server redirected more than 20 times'],
  [
    'needs a body that can be sent only once',
    { method: 'POST', body: new Blob(['once']).stream(), duplex: 'half' } as RequestInit,
    '/b',
    'the server redirected a request whose body can be sent only once',
  ],
  ['leads to a scheme like http', {}, 'shttp://x.example/', 'the server redirected to shttp:, which is not http(s)'],
])('should fail with the reason where a redirect %s', async (_why, init, location, message) => {
  const { token$ } = tokens();
  const { fetch } = stubFetch(() => new Response(null, { status: 307, headers: { location } }));
  const failure = await failureOf(createFetch(token$, { baseUrl: 'https://api.example', fetch })('/a', init));
  expect([failure.name, failure.message]).toEqual(['TypeError', message]);
});

it('should end in a response that a mock gives twice', async () => {
  const { token$ } = tokens();
  const moved = () => new Response(null, { status: 302, headers: { location: '/b' } });
  const end = new Response(null);
  const { fetch } = stubFetch(moved, end, moved, end);
  const fetchWithToken = createFetch(token$, { baseUrl: 'https://api.example', fetch });
  for (let i = 0; i < 2; i++) expect((await fetchWithToken('/a')).clone().redirected).toBe(true);
});

it.each<[boolean, string, { redirected?: boolean; url?: string | null }]>([
  [true, 'POST', { redirected: true, url: 'https://api.example/orders' }],
  [false, 'POST', { redirected: false, url: 'https://api.example/there' }],
  [true, 'POST', { url: 'https://api.example/there' }],
  [false, 'POST', { url: 'https://api.example/orders?page=2' }],
  [false, 'POST', { url: '/there' }],
  [false, 'POST', { url: null }],
  [false, 'GET', { redirected: true, url: 'https://api.example/there' }],
  [false, 'HEAD', { url: 'https://api.example/there' }],
])(
  'should say %p to whether a server may have accepted a %s before it redirected: %j',
  (accepted, method, answered) => {
    expect(mayHaveBeenAccepted(method, 'https://api.example/orders', answered)).toBe(accepted);
  },
);

describe('createHttpClient', () => {
  it('should follow redirects by the same rules', async () => {
    const other = await serve((_seen, response) => {
      answer(response, 200, '{"at":"other"}', { 'content-type': 'application/json' });
    });
    const api = await serve(redirecting(307, { '/a': `${other.origin}/b` }));
    const { token$ } = tokens();
    expect(await firstValueFrom(createHttpClient(token$, { baseUrl: api.origin }).post('/a', { n: 1 }))).toEqual({
      at: 'other',
    });
    expect(other.seen[0]).toMatchObject({ method: 'POST', path: '/b' });
    expect(other.seen[0]!.body.toString()).toBe('{"n":1}');
    expect(other.authorizations()).toEqual([undefined]);
  });
});
