import { map, of, Subject, take, timer, type Observable } from 'rxjs';
import { cases, marbles } from 'rxjs-marbles/jest';
import { createFetch, createHttpClient, withToken, type TokenRequest, type TokenStream } from 'rx-fresh-token';
import { openStream, plain, setUp } from './rig.js';

describe('8: one fetch, however many want a token', () => {
  cases(
    'serves 500 cold starts with one fetch',
    (m, { took }) => {
      const { token$, asked, log, at, tell } = setUp(m, () => ({ took }));
      at(0, () => {
        for (let i = 0; i < 500; i++)
          tell(
            'a',
            [() => token$.pipe(take(1)), () => withToken(token$, ({ value }) => of(value)), () => token$.refresh()][
              i % 3
            ]!(),
          );
      });
      at(took + 1, () => token$.close());
      m.flush();
      expect(asked).toEqual(['0 initial']);
      expect(log).toEqual(Array(500).fill(`${took} a T1`));
    },
    [
      { name: 'in 200 ms', took: 200 },
      { name: 'in 1 ms', took: 1 },
    ],
  );

  it(
    'shares one fetch among the timer, requests, forced refreshes and rejections of the same moment',
    marbles((m) => {
      const { token$, asked, events, log, at, tell } = setUp(m);
      const watching = token$.subscribe();
      at(25_000, () => {
        for (let i = 0; i < 100; i++) {
          tell(
            'use',
            withToken(token$, ({ value }) => of(value)),
          );
          tell('force', token$.refresh());
          tell(
            'rejected',
            withToken(token$, ({ value }) => of({ status: value === 'T1' ? 403 : 200, headers: {} })),
          );
        }
        token$.reject(token$.current!);
      });
      at(26_000, () => watching.unsubscribe());
      m.flush();
      expect(asked.slice(0, 2)).toEqual(['0 initial', '25000 scheduled']);
      expect(log.filter((entry) => entry === '25000 use T1')).toHaveLength(100);
      expect(log.filter((entry) => entry === '25200 force T2')).toHaveLength(100);
      expect(log.filter((entry) => entry === '25200 rejected 200')).toHaveLength(100);
      expect(events.filter((event) => event.includes('refreshStarted')).slice(0, 3)).toEqual([
        '0 refreshStarted initial 1',
        '25000 refreshStarted scheduled 1',
        '50000 refreshStarted scheduled 1',
      ]);
    }),
  );

  it(
    'lets whoever comes during the fetch join it',
    marbles((m) => {
      const { token$, asked, log, at, tell, ask } = setUp(m);
      for (let ms = 0; ms < 200; ms += 10) ask(ms, 'a');
      for (let ms = 5; ms < 200; ms += 10)
        at(ms, () => {
          tell('a', token$.refresh());
        });
      m.flush();
      expect(asked[0]).toBe('0 initial');
      expect(asked[1]).toBe('25000 scheduled');
      expect(log).toEqual(Array(40).fill('200 a T1'));
    }),
  );

  it(
    'subscribes to the source once for all subscribers of the stream',
    marbles((m) => {
      const source = m.cold('  200ms (t|)', { t: { access_token: 'T', expires_in: 30 } });
      const subscription = '   ^ 199ms !';
      const stream$ = openStream(() => source, { scheduler: m.scheduler, jitter: 0, idleTimeout: 0 });
      m.expect(plain(stream$), '^ 300ms !').toBeObservable('200ms T');
      m.expect(plain(stream$), '50ms ^ 250ms !').toBeObservable('200ms T');
      m.expect(plain(stream$), '250ms ^ 50ms !').toBeObservable('250ms T');
      m.expect(source).toHaveSubscriptions(subscription);
    }),
  );
});

describe('9: whoever leaves, leaves alone', () => {
  it(
    'goes on with the fetch for the others',
    marbles((m) => {
      const { token$, asked, log, requests, at, ask } = setUp(m);
      const leaving = withToken(token$, ({ value }) => of(value)).subscribe();
      ask(0, 'b');
      at(100, () => leaving.unsubscribe());
      m.flush();
      expect(log).toEqual(['200 b T1']);
      expect(asked[1]).toBe('25000 scheduled');
      expect(requests[0]!.signal.aborted).toBe(false);
    }),
  );

  cases(
    'caches the result even when no one is left',
    (m, { come }) => {
      const { token$, asked, log, requests, at, ask } = setUp(m);
      const leaving = come(token$).subscribe();
      at(100, () => leaving.unsubscribe());
      at(201, () => expect(token$.current?.value).toBe('T1'));
      ask(300, 'later');
      at(301, () => token$.close());
      m.flush();
      expect(log).toEqual(['300 later T1']);
      expect(asked).toHaveLength(1);
      expect(requests[0]!.signal.aborted).toBe(false);
    },
    [
      {
        name: 'a request',
        come: (token$: TokenStream): Observable<unknown> => withToken(token$, ({ value }) => of(value)),
      },
      { name: 'a subscriber', come: (token$: TokenStream): Observable<unknown> => token$ },
      { name: 'a forced refresh', come: (token$: TokenStream): Observable<unknown> => token$.refresh() },
    ],
  );

  it('lets a fetch be aborted while it waits for a token, and keeps the token', async () => {
    const answers = new Subject<{ access_token: string; expires_in: number }>();
    let asked = 0;
    let signal: AbortSignal | undefined;
    const token$ = openStream((request) => ((signal = request.signal), asked++, answers));
    const sent: string[] = [];
    const fetch = createFetch(token$, {
      baseUrl: 'https://api.example.com',
      fetch: (_url, init) => {
        sent.push(new Headers(init?.headers).get('authorization')!);
        return Promise.resolve(new Response('ok'));
      },
    });
    const caller = new AbortController();
    const aborted = fetch('/a', { signal: caller.signal });
    caller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    answers.next({ access_token: 'T1', expires_in: 30 });
    expect((await fetch('/b')).status).toBe(200);
    expect({ asked, sent, aborted: signal?.aborted }).toEqual({ asked: 1, sent: ['Bearer T1'], aborted: false });
    token$.close();
  });
});

describe('10: a refresh through the same client', () => {
  type Api = (path: string, signal?: AbortSignal) => Promise<Response>;

  const throughClient = (
    call: (api: Api, request: TokenRequest) => Promise<Response>,
    client: 'fetch' | 'http' = 'fetch',
  ) => {
    const sent: string[] = [];
    const stub: typeof fetch = (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input);
      sent.push(`${url.pathname} ${new Headers(init?.headers).get('authorization') ?? 'without'}`);
      return Promise.resolve(
        url.pathname === '/token'
          ? Response.json({ access_token: `T${sent.length}`, expires_in: 30 })
          : new Response('ok'),
      );
    };
    const token$ = openStream((request) => call(api, request).then((response) => response.json() as never), {
      fetchTimeout: 500,
      maxWait: 400,
    });
    const options = { baseUrl: 'https://api.example.com', fetch: stub };
    const http = createHttpClient(token$, options);
    const fetch = createFetch(token$, options);
    const api: Api = (path, signal) =>
      client === 'fetch'
        ? fetch(path, { signal: signal ?? null })
        : new Promise((resolve, reject) =>
            http.request(path, signal ? { signal } : {}).subscribe({ next: resolve, error: reject }),
          );
    return { sent, api, token$ };
  };

  it.each([
    ['synchronously in the source', 'fetch', (api: Api) => api('/token')],
    ['synchronously in the source', 'http', (api: Api) => api('/token')],
    [
      'later, with its signal',
      'fetch',
      (api: Api, { signal }: TokenRequest) => Promise.resolve().then(() => api('/token', signal)),
    ],
    [
      'later, with its signal',
      'http',
      (api: Api, { signal }: TokenRequest) => Promise.resolve().then(() => api('/token', signal)),
    ],
  ] as const)('goes out without a token: %s (%s)', async (_when, client, call) => {
    const { sent, api, token$ } = throughClient(call, client);
    expect((await api('/orders')).status).toBe(200);
    token$.refresh().subscribe();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await api('/orders')).status).toBe(200);
    // Not even while there is a token does the source's own request carry it.
    expect(sent).toEqual(['/token without', '/orders Bearer T1', '/token without', '/orders Bearer T3']);
    token$.close();
  });

  it('gives a token to requests that are made while the source is at work, but are not its own', async () => {
    const { sent, api, token$ } = throughClient(async (own, { signal }) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return own('/token', signal);
    });
    const [a, b] = await Promise.all([api('/a'), api('/b', new AbortController().signal)]);
    expect([a.status, b.status]).toEqual([200, 200]);
    expect(sent).toEqual(['/token without', '/a Bearer T1', '/b Bearer T1']);
    token$.close();
  });

  it(
    'fails a synchronous withToken of the source instead of waiting for ever',
    marbles((m) => {
      const seen: string[] = [];
      const token$ = openStream(
        () => {
          withToken(token$, ({ value }) => of(value)).subscribe({
            error: (error: unknown) => seen.push((error as Error).name),
          });
          return timer(10).pipe(map(() => ({ access_token: 'T1', expires_in: 30 })));
        },
        { scheduler: m.scheduler, jitter: 0, idleTimeout: 0 },
      );
      m.expect(plain(token$.pipe(take(1)))).toBeObservable('10ms (a|)', { a: 'T1' });
      m.flush();
      expect(seen).toEqual(['TokenUnavailableError']);
    }),
  );
});
