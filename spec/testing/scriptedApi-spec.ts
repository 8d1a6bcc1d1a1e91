import { firstValueFrom, retry, shareReplay, switchMap, take, VirtualTimeScheduler, type Observable } from 'rxjs';
import { cases, marbles } from 'rxjs-marbles/jest';
import { createFetch, createHttpClient, createTokenStream, withToken } from 'rx-fresh-token';
import { fakeTokenSource, scriptedApi, tokenMarbles, type ApiCall } from 'rx-fresh-token/testing';

const a = { value: 'a' };
const b = { value: 'b' };
const told = (calls: readonly ApiCall[]): string[] =>
  calls.map(({ at, token, credential, outcome }) => `${at} ${String(token)} ${credential} ${outcome}`);
const failureOf = (source$: Observable<unknown>) =>
  firstValueFrom(source$).then(
    () => 'none',
    (error: unknown) => error,
  );

function raise(message: string): never {
  throw new Error(message);
}

describe('scriptedApi.send', () => {
  it(
    'should answer a call with its token, after the delay',
    marbles((m) => {
      const source = fakeTokenSource({ scheduler: m.scheduler, latency: 200 });
      const api = scriptedApi({ tokens: source, delay: 50 });
      const token$ = createTokenStream(source, { scheduler: m.scheduler, idleTimeout: 0 });
      m.expect(withToken(token$, api.send)).toBeObservable('250ms (a|)');
      m.flush();
      expect(told(api.calls)).toEqual(['200 a alive 200']);
      api.verify();
      source.verify();
    }),
  );

  it(
    'should refuse a token that was revoked, so that it is replaced',
    marbles((m) => {
      const source = fakeTokenSource({ scheduler: m.scheduler, latency: 200 });
      const api = scriptedApi({ tokens: source, delay: 50 });
      const token$ = createTokenStream(source, { scheduler: m.scheduler, jitter: 0, idleTimeout: 0 });
      m.scheduler.schedule(() => {
        api.revoke('a');
      }, 1000);
      m.expect(withToken(token$, api.send)).toBeObservable('250ms (a|)');
      m.expect(withToken(token$, api.send), '2s ^').toBeObservable('2300ms (b|)');
      m.flush();
      expect(told(api.calls)).toEqual(['200 a alive 200', '2000 a revoked 401', '2250 b alive 200']);
      api.verify();
    }),
  );

  it('should take its time from the source, unless told otherwise', () => {
    for (const own of [undefined, new VirtualTimeScheduler()]) {
      const scheduler = new VirtualTimeScheduler();
      const source = fakeTokenSource({ scheduler });
      const api = scriptedApi({ tokens: source, delay: 50, scheduler: own });
      api.send(a).subscribe({ error: () => undefined });
      scheduler.flush();
      expect([scheduler.now(), api.calls[0]!.outcome]).toEqual(own ? [0, 'pending'] : [50, 401]);
      own?.flush();
      expect(api.calls[0]!.outcome).toBe(401);
    }
  });

  it.each([
    [401, 'Bearer error="invalid_token"'],
    [403, undefined],
  ] as const)('should refuse with %p', async (refuseWith, challenge) => {
    const api = scriptedApi({ tokens: ['a'], refuseWith });
    api.revoke(a);
    expect(await failureOf(api.send(a))).toMatchObject({
      message: `the scripted API answered ${String(refuseWith)}`,
      status: refuseWith,
      headers: challenge ? { 'www-authenticate': challenge } : {},
    });
  });

  it('should forbid a path to every token, one way or the other, and allow it again', async () => {
    const api = scriptedApi({ tokens: ['a'] });
    api.forbid('/admin');
    api.forbid('/audit', 'insufficient_scope');
    expect(await failureOf(api.send(a, '/admin?all=1'))).toMatchObject({ status: 403, headers: {} });
    expect(await failureOf(api.send(a, '/audit'))).toMatchObject({
      status: 403,
      headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' },
    });
    expect(await firstValueFrom(api.send(a, '/orders', 'POST'))).toBe('a');
    api.allow('/admin');
    expect(await firstValueFrom(api.send(a, '/admin'))).toBe('a');
    expect(api.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /admin',
      'GET /audit',
      'POST /orders',
      'GET /admin',
    ]);
    api.verify();
  });

  it(
    'should do what its script says',
    marbles((m) => {
      const api = scriptedApi({
        tokens: ['a'],
        scheduler: m.scheduler,
        steps: ['ok', 500, 401, 'down', 204, 'hang'],
        delay: (n) => n * 10,
      });
      const call = () => tokenMarbles(api.send(a));
      m.expect(call()).toBeObservable('10ms (a|)');
      m.expect(call()).toBeObservable('20ms #', undefined, '500');
      m.expect(call()).toBeObservable('30ms #', undefined, '401');
      m.expect(call()).toBeObservable('40ms #', undefined, 'TypeError: fetch failed');
      m.expect(call()).toBeObservable('50ms (a|)');
      m.expect(call(), '^ 99ms !').toBeObservable('-');
      m.flush();
      expect(api.calls.map(({ outcome }) => outcome)).toEqual([200, 500, 401, 'down', 204, 'aborted']);
      api.verify();
    }),
  );

  cases(
    'should answer what it is told to',
    (m, { api, value }) => {
      m.expect(api.send(a) as Observable<unknown>).toBeObservable('(v|)', { v: value });
    },
    [
      {
        name: 'a value',
        api: scriptedApi({ tokens: ['a'], answer: ({ path, token }) => ({ path, token }) }),
        value: { path: '/', token: 'a' },
      },
      { name: 'a value that JSON cannot hold', api: scriptedApi({ tokens: ['a'], answer: () => 1n }), value: 1n },
      {
        name: 'a response',
        api: scriptedApi({ tokens: ['a'], responses: true }),
        value: { status: 200, headers: {}, body: 'a' },
      },
      {
        name: 'a refusal, as a response',
        api: scriptedApi({ tokens: [], responses: true }),
        value: { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' }, body: null },
      },
    ],
  );

  it(
    'should have its emitted refusals known by withToken',
    marbles((m) => {
      const source = fakeTokenSource({ scheduler: m.scheduler });
      const api = scriptedApi({ tokens: source, responses: true, steps: [403] });
      const token$ = createTokenStream(source, { scheduler: m.scheduler, idleTimeout: 0 });
      m.expect(withToken(token$, api.send)).toBeObservable('(v|)', { v: { status: 200, headers: {}, body: 'b' } });
    }),
  );
});

describe('scriptedApi.fetch', () => {
  const auth = (value: string) => ({ headers: { authorization: `Bearer ${value}` } });

  it('should serve createFetch and createHttpClient', async () => {
    const source = fakeTokenSource();
    const api = scriptedApi({ tokens: source, answer: ({ token, path }) => ({ token, path }) });
    const token$ = createTokenStream(source, { idleTimeout: 0 });
    const options = { baseUrl: 'https://api.example.com', fetch: api.fetch };
    expect(await (await createFetch(token$, options)('/orders?secret=1')).json()).toEqual({
      token: 'a',
      path: '/orders',
    });
    api.revoke('a');
    expect(await firstValueFrom(createHttpClient(token$, options).post('/orders', { n: 1 }))).toEqual({
      token: 'b',
      path: '/orders',
    });
    expect(
      api.calls.map(({ method, path, token, outcome }) => `${method} ${path} ${String(token)} ${outcome}`),
    ).toEqual(['GET /orders a 200', 'POST /orders a 401', 'POST /orders b 200']);
    api.verify();
    source.verify();
    token$.close();
  });

  it('should take a Request, a URL and a bare path', async () => {
    const api = scriptedApi({ tokens: ['a'] });
    await api.fetch(new Request('https://api.example.com/request', { method: 'PUT', ...auth('a') }));
    await api.fetch(new URL('https://api.example.com/url'), auth('a'));
    await api.fetch('/path', { method: 'post', ...auth('a') });
    expect(api.calls.map(({ method, path, outcome }) => `${method} ${path} ${outcome}`)).toEqual([
      'PUT /request 200',
      'GET /url 200',
      'POST /path 200',
    ]);
  });

  it('should answer as an API does', async () => {
    const own = new Response('own', { status: 418 });
    const api = scriptedApi({
      tokens: ['a'],
      tolerate: ['missing', 'unknown'],
      answer: ({ path }) => (path === '/own' ? own : { path }),
    });
    const accepted = await api.fetch('/x', auth('a'));
    const missing = await api.fetch('/x');
    const unknown = await api.fetch('/x', auth('b'));
    expect([accepted.status, accepted.headers.get('content-type'), await accepted.json()]).toEqual([
      200,
      'application/json',
      { path: '/x' },
    ]);
    expect([missing.status, missing.headers.get('www-authenticate'), await missing.text()]).toEqual([
      401,
      'Bearer',
      '',
    ]);
    expect([unknown.status, unknown.headers.get('www-authenticate')]).toEqual([401, 'Bearer error="invalid_token"']);
    expect(await api.fetch('/own', auth('a'))).toBe(own);
    api.verify();
  });

  it('should fail and hang as scripted, and heed the signal', async () => {
    const api = scriptedApi({ tokens: ['a'], steps: ['down', 204, 'hang', 'hang'] });
    await expect(api.fetch('/', auth('a'))).rejects.toThrow(TypeError);
    expect(await (await api.fetch('/', auth('a'))).text()).toBe('');
    for (const give of [
      (signal: AbortSignal) => api.fetch('/', { ...auth('a'), signal }),
      (signal: AbortSignal) => api.fetch(new Request('http://localhost/', { ...auth('a'), signal })),
    ]) {
      const controller = new AbortController();
      const hanging = give(controller.signal);
      controller.abort(new Error('enough'));
      await expect(hanging).rejects.toThrow('enough');
    }
    expect(api.calls.map(({ outcome }) => outcome)).toEqual(['down', 204, 'aborted', 'aborted']);
    api.verify();
  });

  it('should send no body, and no type, where the answer is undefined', async () => {
    const api = scriptedApi({ tokens: ['a'], answer: () => undefined });
    const response = await api.fetch('/', auth('a'));
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([200, null, '']);
  });

  it('should send no body to HEAD, but its type', async () => {
    const response = await scriptedApi({ tokens: ['a'] }).fetch('/', { ...auth('a'), method: 'head' });
    expect([response.status, response.headers.get('content-type'), response.body]).toEqual([
      200,
      'application/json',
      null,
    ]);
  });

  it('should heed the signal of init alone, if it has one; null is none', async () => {
    const aborted = AbortSignal.abort(new Error('enough'));
    const request = new Request('http://localhost/', { ...auth('a'), signal: aborted });
    const api = scriptedApi({ tokens: ['a'] });
    await expect(api.fetch(request)).rejects.toThrow('enough');
    await expect(api.fetch(request, { signal: undefined })).rejects.toThrow('enough');
    expect((await api.fetch(request, { signal: null })).status).toBe(200);
    expect((await api.fetch(request, { signal: new AbortController().signal })).status).toBe(200);
  });

  it("should heed a signal that is not the platform's, such as that of jsdom", async () => {
    const signal = Object.assign(new EventTarget(), { aborted: false, reason: new Error('enough') });
    const hanging = scriptedApi({ tokens: ['a'], steps: ['hang'] }).fetch('/', {
      ...auth('a'),
      signal: signal as unknown as AbortSignal,
    });
    signal.dispatchEvent(new Event('abort'));
    await expect(hanging).rejects.toThrow('enough');
  });

  it('should reject what fetch rejects, and count no call', async () => {
    const api = scriptedApi({ tokens: ['a'] });
    const used = new Request('http://localhost/', { method: 'POST', body: 'x' });
    await used.text();
    for (const ask of [
      () => api.fetch(used),
      () => api.fetch('/', { body: 'x' }),
      () => api.fetch('http://user:secret@localhost/'),
      () => api.fetch('/', { method: 'CONNECT' }),
      () => api.fetch('/', { headers: { 'not a name': 'x' } }),
    ])
      await expect(ask()).rejects.toMatchObject({ name: 'TypeError' });
    expect(api.calls).toEqual([]);
  });

  it('should use up the body of a Request', async () => {
    const request = new Request('http://localhost/', { ...auth('a'), method: 'POST', body: 'x' });
    await scriptedApi({ tokens: ['a'] }).fetch(request);
    expect(request.bodyUsed).toBe(true);
  });

  it('should keep the name of a method that fetch does not write in capitals', async () => {
    const api = scriptedApi({ tokens: ['a'] });
    for (const method of ['delete', 'purge']) await api.fetch('/', { ...auth('a'), method });
    expect(api.calls.map(({ method }) => method)).toEqual(['DELETE', 'purge']);
  });

  it('should say where the answer is from', async () => {
    const response = await scriptedApi({ tokens: ['a'] }).fetch('https://api.example.com/orders?page=1#top', auth('a'));
    expect(response.url).toBe('https://api.example.com/orders?page=1');
  });

  it('should reject what is no URL, not throw', async () => {
    await expect(scriptedApi({ tokens: [] }).fetch('http://')).rejects.toMatchObject({ name: 'TypeError' });
  });
});

describe('scriptedApi.verify', () => {
  const complaint = (api: { verify: () => void }): string => {
    try {
      api.verify();
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it(
    'should list the faults: no token, unknown, expired and refused ones',
    marbles((m) => {
      const source = fakeTokenSource({ scheduler: m.scheduler, lifetime: 100 });
      const api = scriptedApi({ tokens: source, delay: 10 });
      const send = (at: number, value: string) =>
        m.scheduler.schedule(() => {
          api.send({ value }, '/orders').subscribe({ error: () => undefined });
        }, at);
      source({ reason: 'initial', attempt: 1, previous: null, signal: new AbortController().signal }).subscribe();
      send(99, 'a');
      send(100, 'a');
      send(105, 'a');
      send(200, 'z');
      m.scheduler.schedule(() => {
        void api.fetch('/orders');
      }, 300);
      m.flush();
      expect(complaint(api)).toBe(
        [
          'scriptedApi: 4 faults',
          '- call 2 at 100 ms (GET /orders) carried a, which had expired',
          '- call 3 at 105 ms (GET /orders) carried a, which had expired',
          '- call 4 at 200 ms (GET /orders) carried z, which was never issued',
          '- call 5 at 300 ms (GET /orders) carried no token',
        ].join('\n'),
      );
    }),
  );

  it(
    'should mind a revoked token only after a caller was told',
    marbles((m) => {
      const api = scriptedApi({ tokens: ['a', 'b'], scheduler: m.scheduler, delay: 10 });
      const send = (at: number, token: { value: string }) =>
        m.scheduler.schedule(() => {
          api.send(token).subscribe({ error: () => undefined });
        }, at);
      api.revoke('a');
      [0, 9, 10, 11, 30].forEach((at) => send(at, a));
      send(31, b);
      m.flush();
      expect(complaint(api).split('\n').slice(1)).toEqual([
        '- call 4 at 11 ms (GET /) carried a, which had been refused 1 ms before',
        '- call 5 at 30 ms (GET /) carried a, which had been refused 20 ms before',
      ]);
    }),
  );

  it(
    'should mind a repeat at once with the very token that was refused: a retry onto a cached token',
    marbles((m) => {
      const source = fakeTokenSource({ scheduler: m.scheduler, latency: 2 });
      const api = scriptedApi({ tokens: source, delay: 3 });
      const cached$ = source({
        reason: 'initial',
        attempt: 1,
        previous: null,
        signal: new AbortController().signal,
      }).pipe(shareReplay({ bufferSize: 1, refCount: false }));
      const call$ = cached$.pipe(
        take(1),
        switchMap(({ access_token }) => api.send({ value: access_token })),
        retry(1),
      );
      m.cold('----------x').subscribe(() => {
        api.revoke('a');
      });
      m.expect(cached$).toBeObservable('--(a|)', { a: { access_token: 'a', token_type: 'Bearer', expires_in: 30 } });
      m.expect(tokenMarbles(call$), '------------^').toBeObservable('------------------#', undefined, '401');
      m.flush();
      expect(told(api.calls)).toEqual(['12 a revoked 401', '15 a revoked 401']);
      expect(complaint(api)).toContain('- call 2 at 15 ms (GET /) carried a, which had been refused just before');
    }),
  );

  it('should mind a repeat of a call that was refused without a delay', () => {
    const api = scriptedApi({ tokens: ['a'], scheduler: new VirtualTimeScheduler() });
    api.revoke('a');
    api
      .send(a)
      .pipe(retry(1))
      .subscribe({ error: () => undefined });
    expect(complaint(api)).toContain('- call 2 at 0 ms (GET /) carried a, which had been refused just before');
  });

  it('should not mind who was sent before the refusal was told', async () => {
    const scheduler = new VirtualTimeScheduler();
    const api = scriptedApi({ tokens: ['a'], scheduler, delay: 1 });
    api.revoke('a');
    for (let i = 0; i < 2; i++) api.send(a).subscribe({ error: () => undefined });
    scheduler.flush();
    api.verify();
    const quick = scriptedApi({ tokens: ['a'], scheduler });
    quick.revoke('a');
    const auth = { headers: { authorization: 'Bearer a' } };
    await Promise.all([quick.fetch('/', auth), quick.fetch('/', auth)]);
    quick.verify();
  });

  it('should mind who sends the token again after the answer of fetch came, within the same millisecond', async () => {
    const api = scriptedApi({ tokens: ['a'], scheduler: new VirtualTimeScheduler() });
    const auth = { headers: { authorization: 'Bearer a' } };
    api.revoke('a');
    await api.fetch('/', auth);
    await api.fetch('/', auth);
    expect(complaint(api)).toContain('- call 2 at 0 ms (GET /) carried a, which had been refused just before');
  });

  it.each([0, 1])(
    'should not mind what createFetch and createHttpClient send while the news of the refusal is on its way (delay %p)',
    async (delay) => {
      const source = fakeTokenSource();
      const api = scriptedApi({ tokens: source, delay });
      const token$ = createTokenStream(source, { idleTimeout: 0 });
      const options = { baseUrl: 'https://api.example.com', fetch: api.fetch };
      const fetch = createFetch(token$, options);
      const http = createHttpClient(token$, options);
      await fetch('/');
      api.revoke('a');
      const callers = async (hops: number) => {
        for (let i = 0; i < hops; i++) await Promise.resolve();
        const path = (n: number) => `/${String(hops)}/${String(n)}`;
        const request = new Request(`https://api.example.com${path(1)}`, { method: 'PUT', body: 'y' });
        return Promise.all([
          fetch(path(2)),
          fetch(path(3), { method: 'POST', body: 'x' }),
          fetch(request),
          firstValueFrom(http.post(path(4), { n: 1 })),
        ]);
      };
      await Promise.all(Array.from({ length: 12 }, (_, hops) => callers(hops)));
      api.verify();
      token$.close();
    },
  );

  it('should not mind more calls with a token after a bare 403, which may blame the resource', () => {
    const api = scriptedApi({ tokens: ['a'], refuseWith: 403 });
    api.revoke('a');
    for (let i = 0; i < 3; i++) api.send(a).subscribe({ error: () => undefined });
    api.verify();
  });

  it('should tell of an answer that throws, is read already, comes later, or is no JSON', async () => {
    const used = new Response('once');
    await used.text();
    for (const [answer, said] of [
      [() => raise('no such order'), 'Error: no such order'],
      [() => used, 'TypeError: option "answer" must be a function whose Response was not read, got object'],
      [
        () => Promise.resolve('late'),
        'TypeError: option "answer" must be a function that returns a body, not a Promise, got object',
      ],
      [() => 1n, 'TypeError: Do not know how to serialize a BigInt'],
    ] as const) {
      const api = scriptedApi<unknown>({ tokens: ['a'], scheduler: new VirtualTimeScheduler(), answer });
      await expect(api.fetch('/', { headers: { authorization: 'Bearer a' } })).rejects.toThrow(
        said.replace(/^\w+: /, ''),
      );
      expect(complaint(api)).toBe(`scriptedApi: 1 fault\n- call 1 at 0 ms: ${said}`);
    }
  });

  it('should tell of calls past maxCalls, and of steps that were not reached', () => {
    const api = scriptedApi({ tokens: ['a'], maxCalls: 1 });
    for (let i = 0; i < 2; i++) api.send(a).subscribe();
    expect(complaint(api)).toMatch(/- call 2 at \d+ ms \(GET \/\) is one too many: maxCalls is 1$/);
    expect(complaint(scriptedApi({ tokens: [], steps: [500] }))).toContain('of 1 steps the last 1 was not reached');
  });

  it.each(['missing', 'unknown', 'expired', 'refused'] as const)('should tolerate %s, if told to', async (kind) => {
    const make = (tolerate: readonly (typeof kind)[]) => {
      let t = 0;
      const source = fakeTokenSource({ now: () => t });
      const api = scriptedApi({
        tokens: source,
        tolerate,
        scheduler: {
          now: () => t,
          schedule: () => {
            throw new Error('no timers here');
          },
        },
      });
      source({ reason: 'initial', attempt: 1, previous: null, signal: new AbortController().signal }).subscribe();
      return { api, pass: (ms: number) => (t += ms) };
    };
    for (const tolerate of [[], [kind]]) {
      const { api, pass } = make(tolerate);
      if (kind === 'missing') await api.fetch('/');
      if (kind === 'unknown') await failureOf(api.send(b));
      if (kind === 'expired') {
        pass(30_000);
        await failureOf(api.send(a));
      }
      if (kind === 'refused') {
        api.revoke('a');
        await failureOf(api.send(a));
        pass(1);
        await failureOf(api.send(a));
      }
      expect(complaint(api) === '').toBe(tolerate.length > 0);
    }
  });
});

it('should allow that a token is sent again which was refused, but neither revoked nor over', () => {
  const api = scriptedApi({ tokens: ['a'], steps: [401] });
  api.send({ value: 'a' }).subscribe({ error: () => undefined });
  api.send({ value: 'a' }).subscribe();
  expect(api.calls.map(({ outcome }) => outcome)).toEqual([401, 200]);
  api.verify();
});
