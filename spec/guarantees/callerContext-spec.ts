import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import axios, { AxiosError } from 'axios';
import { defer, firstValueFrom, NEVER, Observable, of, Subject } from 'rxjs';
import {
  type AccessToken,
  createFetch,
  createHttpClient,
  takeToken,
  withToken,
  type TokenResponse,
  type TokenStream,
} from 'rx-fresh-token';
import { attachToken } from 'rx-fresh-token/axios';
import { connectWithToken, type ConnectOptions } from 'rx-fresh-token/connect';
import { until } from '../until.js';
import { answer, openStream, rejection } from './rig.js';

const tenant = new AsyncLocalStorage<string>();
const response = (access_token: string): TokenResponse => ({ access_token, expires_in: 3600 });

/** A stream whose fetches are answered by hand. */
function setUp() {
  const answers: Subject<TokenResponse>[] = [];
  const sourceContexts: (string | undefined)[] = [];
  const token$ = openStream(() => {
    sourceContexts.push(tenant.getStore());
    const next = new Subject<TokenResponse>();
    answers.push(next);
    return next;
  });
  return { token$, answers, sourceContexts };
}

const baseUrl = 'https://api.example.com';
type SendAs = (token$: TokenStream, log: (token: string | null) => Response) => Promise<unknown>;
const clients: [string, SendAs][] = [
  ['withToken', (token$, log) => firstValueFrom(withToken(token$, ({ value }) => of(log(value))))],
  ['token$.pipe(withToken())', (token$, log) => firstValueFrom(token$.pipe(withToken(({ value }) => of(log(value)))))],
  ['takeToken', (token$, log) => firstValueFrom(takeToken(token$)).then(({ value }) => log(value))],
  [
    'createFetch',
    (token$, log) =>
      createFetch(token$, {
        baseUrl,
        fetch: (_input, init) => Promise.resolve(log(new Headers(init?.headers).get('authorization'))),
      })('/a'),
  ],
  [
    'axios',
    (token$, log) => {
      const instance = axios.create({
        baseURL: baseUrl,
        adapter: (config) => {
          const { status } = log(String(config.headers.get('authorization')));
          const got = { status, statusText: '', headers: {}, data: null, config };
          return status < 400
            ? Promise.resolve(got)
            : Promise.reject(new AxiosError('rejected', 'ERR_BAD_REQUEST', config, undefined, got));
        },
      });
      attachToken(instance, token$);
      return instance.get('/a');
    },
  ],
  [
    'createHttpClient',
    (token$, log) =>
      firstValueFrom(
        createHttpClient(token$, {
          baseUrl,
          fetch: (_input, init) => Promise.resolve(log(new Headers(init?.headers).get('authorization'))),
        }).request('/a'),
      ),
  ],
];

describe.each(clients)('37: a request of %s', (_name, send) => {
  it('goes out in the context of its caller, whoever caused the fetch', async () => {
    const { token$, answers } = setUp();
    const seen: [string | undefined, string | undefined][] = [];
    const call = (name: string) =>
      tenant.run(name, () =>
        send(token$, () => {
          seen.push([name, tenant.getStore()]);
          return answer(200);
        }),
      );
    const calls = ['a', 'b', 'c'].map(call);
    await sleep(0);
    tenant.run('endpoint', () => {
      answers[0]!.next(response('T1'));
    });
    await Promise.all(calls);
    expect(seen).toHaveLength(3);
    for (const [name, context] of seen) expect(context).toBe(name);
    token$.close();
  });
});

it.each(clients.filter(([name]) => name !== 'takeToken'))('37: the repeat of %s, too', async (_name, send) => {
  const { token$, answers } = setUp();
  const seen: string[] = [];
  const call = (name: string) =>
    tenant.run(name, () =>
      send(token$, (token) => {
        seen.push(`${name} ${String(tenant.getStore())}`);
        return answer(token?.endsWith('T1') ? 401 : 200);
      }),
    );
  const calls = ['a', 'b'].map(call);
  await sleep(0);
  answers[0]!.next(response('T1'));
  await sleep(0);
  answers[1]!.next(response('T2'));
  await Promise.all(calls);
  // Whoever was rejected first is repeated; the other may have waited for the new token.
  expect(seen.length).toBeGreaterThanOrEqual(3);
  expect(new Set(seen)).toEqual(new Set(['a a', 'b b']));
  token$.close();
});

it.each(['at once', 'after a wait', 'when the token was replaced meanwhile'])(
  '37: the repeat of an Observable that answers in the context of a shared connection, too: sent %s',
  async (kind) => {
    const { token$, answers } = setUp();
    const seen: string[] = [];
    const calls: (() => void)[] = [];
    const sendAs = (name: string) =>
      withToken(
        token$,
        ({ value }) =>
          new Observable<string>((subscriber) => {
            seen.push(`${name} ${String(tenant.getStore())}`);
            calls.push(() => {
              if (value === 'T1') subscriber.error(rejection(401));
              else subscriber.next(value);
            });
          }),
      );
    if (kind !== 'after a wait') {
      takeToken(token$).subscribe();
      answers[0]!.next(response('T1'));
    }
    const sent = ['a', 'b'].map((name) => tenant.run(name, () => firstValueFrom(sendAs(name))));
    if (kind === 'after a wait') answers[0]!.next(response('T1'));
    if (kind.startsWith('when')) {
      token$.refresh().subscribe();
      answers[1]!.next(response('T2'));
    }
    const answerAll = () => {
      for (const call of calls.splice(0)) call();
    };
    tenant.run('connection', answerAll);
    tenant.run('endpoint', () => {
      answers[1]!.next(response('T2'));
    });
    tenant.run('connection', answerAll);
    expect(await Promise.all(sent)).toEqual(['T2', 'T2']);
    expect(seen).toEqual(['a a', 'b b', 'a a', 'b b']);
  },
);

it.each(['rejected', 'lost', 'replaced', 'announced to'])(
  '37: a connection of connectWithToken is opened in the context of its caller, also after one that is %s',
  async (kind) => {
    const { token$, answers } = setUp();
    const seen: string[] = [];
    const ends: Subject<never>[] = [];
    const connect = ({ value }: AccessToken, opened: () => void) => {
      const end$ = new Subject<never>();
      ends.push(end$);
      return defer(() => {
        seen.push(`${value} ${String(tenant.getStore())}`);
        opened();
        return end$;
      });
    };
    const onRenewal = ({ value }: AccessToken) => {
      seen.push(`${value} ${String(tenant.getStore())}`);
    };
    const options: ConnectOptions =
      kind === 'replaced' ? { onRenewal: 'replace' } : kind === 'announced to' ? { onRenewal } : {};
    const connection = tenant.run('a', () =>
      connectWithToken(token$, connect, { ...options, reconnect: { initial: 0 } }).subscribe({
        error: () => undefined,
      }),
    );
    tenant.run('endpoint', () => {
      answers[0]!.next(response('T1'));
    });
    tenant.run('connection', () => {
      if (kind === 'rejected') ends[0]!.error(rejection(401));
      else if (kind === 'lost') ends[0]!.error(new Error('lost'));
      else token$.refresh().subscribe();
    });
    await sleep(10);
    tenant.run('endpoint', () => {
      answers[1]?.next(response('T2'));
    });
    await until(() => seen.length === 2);
    expect(seen).toEqual(['T1 a', kind === 'lost' ? 'T1 a' : 'T2 a']);
    connection.unsubscribe();
    token$.close();
  },
);

it.each(['signOut', 'close'] as const)('37: a request that waits hears of %s() in the context of its caller', (end) => {
  const { token$ } = setUp();
  const seen: unknown[] = [];
  const error = () => seen.push(tenant.getStore());
  for (const name of ['a', 'b']) tenant.run(name, () => takeToken(token$).subscribe({ error }));
  tenant.run('endpoint', () => {
    token$[end]();
  });
  expect(seen).toEqual(['a', 'b']);
});

describe('37: a store', () => {
  it.each(['synchronous', 'lazy'])('is asked in the context in which the stream was made: %s', async (kind) => {
    const contexts: (string | undefined)[] = [];
    const stored = () => {
      contexts.push(tenant.getStore());
      return of({ response: response('T1'), age: 0, origin: 'shared' as const });
    };
    const store = { refresh: () => (kind === 'lazy' ? defer(stored) : stored()) };
    const token$ = tenant.run('maker', () => openStream(() => NEVER, { store }));
    const sentIn = tenant.run('caller', () => firstValueFrom(withToken(token$, () => of(tenant.getStore()))));
    expect([await sentIn, contexts]).toEqual(['caller', ['maker']]);
  });
});

describe('37: a token source', () => {
  it('runs in the context in which the stream was made, and not in that of the first caller', async () => {
    const { token$, answers, sourceContexts } = tenant.run('application', setUp);
    const got = tenant.run('a', () => firstValueFrom(takeToken(token$)));
    answers[0]!.next(response('T1'));
    await got;
    const forced = tenant.run('b', () => firstValueFrom(token$.refresh()));
    answers[1]!.next(response('T2'));
    await forced;
    expect(sourceContexts).toEqual(['application', 'application']);
    token$.close();
  });

  it('runs in none where the stream was made in none', () => {
    const { token$, sourceContexts } = setUp();
    tenant.run('a', () => takeToken(token$).subscribe({ error: () => undefined }));
    expect(sourceContexts).toEqual([undefined]);
    token$.close();
  });

  it('runs its renewals there as well', () => {
    jest.useFakeTimers();
    try {
      const contexts: (string | undefined)[] = [];
      const token$ = tenant.run('application', () =>
        openStream(() => {
          contexts.push(tenant.getStore());
          return of({ access_token: `T${String(contexts.length)}`, expires_in: 30 });
        }),
      );
      tenant.run('a', () => token$.subscribe());
      jest.advanceTimersByTime(100_000);
      expect(contexts.length).toBeGreaterThan(3);
      expect(new Set(contexts)).toEqual(new Set(['application']));
      token$.close();
    } finally {
      jest.useRealTimers();
    }
  });
});
