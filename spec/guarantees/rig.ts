/* eslint rxjs-x/throw-error: off -- sources throw what they like, and marbles compare errors as text */
import { catchError, map, of, switchMap, throwError, timer, type Observable } from 'rxjs';
import type { Context } from 'rxjs-marbles/jest';
import {
  createTokenStream,
  withToken,
  type AccessToken,
  type TokenEvent,
  type TokenRequest,
  type TokenResponse,
  type TokenStream,
  type TokenStreamOptions,
  type WithTokenOptions,
} from 'rx-fresh-token';

const open: TokenStream[] = [];
afterEach(() => {
  open.splice(0).forEach((token$) => token$.close());
});

/** A stream that does not outlive its test, even if that fails. */
export function openStream(...[source, options]: Parameters<typeof createTokenStream>): TokenStream {
  const token$ = createTokenStream(source, options);
  open.push(token$);
  return token$;
}

/**
 * What the token source does when it is asked for the nth time. By default: 200 ms later, a token of 30 s called Tn.
 */
export interface Reply {
  readonly took?: number;
  /** `expires_in`; 'unknown' leaves it out. */
  readonly life?: unknown;
  readonly value?: string;
  readonly fail?: unknown;
  readonly response?: unknown;
}

export interface Rig {
  readonly token$: TokenStream;
  readonly requests: TokenRequest[];
  /** `25000 scheduled`: when and why the source was asked. */
  readonly asked: string[];
  /** `25200 tokenChanged T2`: every event, without secrets other than the test's. */
  readonly events: string[];
  /** What those who were told to `tell` had to say: `200 a T1`. */
  readonly log: string[];
  readonly at: (ms: number, action: () => unknown) => void;
  /** The same, after all else that happens at that moment. */
  readonly after: (ms: number, check: () => unknown) => void;
  readonly tell: (name: string, source$: Observable<unknown>) => void;
  /** At the given moment, sends a request that is answered at once with the token's value. */
  readonly ask: (ms: number, name: string, options?: WithTokenOptions) => void;
  /** How many timers are pending at the given moment. */
  readonly pendingAt: (ms: number) => { count: number };
}

export function setUp(
  { scheduler }: Pick<Context, 'scheduler'>,
  reply: (n: number) => Reply = () => ({}),
  options: TokenStreamOptions = {},
): Rig {
  const requests: TokenRequest[] = [];
  const asked: string[] = [];
  const events: string[] = [];
  const log: string[] = [];
  const token$ = createTokenStream(
    (request) => {
      const n = requests.push(request);
      asked.push(`${scheduler.now()} ${request.reason}${request.attempt > 1 ? ` #${request.attempt}` : ''}`);
      const {
        took = 200,
        life = 30,
        value = `T${n}`,
        fail,
        response = { access_token: value, ...(life !== 'unknown' && { expires_in: life }) },
      } = reply(n);
      const answer$ = fail === undefined ? of(response as TokenResponse) : throwError(() => fail);
      return took === 0 ? answer$ : timer(took, scheduler).pipe(switchMap(() => answer$));
    },
    // The rest of a case is its options, but for its name.
    { scheduler, jitter: 0, ...options, ...({ name: undefined } as TokenStreamOptions) },
  );
  token$.events.subscribe((event) => events.push(eventText(event)));
  const at: Rig['at'] = (ms, action) => {
    scheduler.schedule(() => void action(), ms - scheduler.now());
  };
  const after: Rig['after'] = (ms, check) => {
    at(ms, () => scheduler.schedule(() => void check(), 0));
  };
  const tell: Rig['tell'] = (name, source$) => {
    source$.subscribe({
      next: (value) => log.push(`${scheduler.now()} ${name} ${text(value)}`),
      error: (error: unknown) => log.push(`${scheduler.now()} ${name} ${errorText(error)}`),
    });
  };
  return {
    token$,
    requests,
    asked,
    events,
    log,
    at,
    after,
    tell,
    ask: (ms, name, requestOptions) => {
      at(ms, () => {
        tell(
          name,
          withToken(token$, ({ value }) => of(value), requestOptions),
        );
      });
    },
    pendingAt: (ms) => {
      const pending = { count: NaN };
      after(ms, () => (pending.count = scheduler.actions.length));
      return pending;
    },
  };
}

const text = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? String((value as Partial<AccessToken>).value ?? (value as { status?: number }).status)
    : String(value);

/** `!TokenUnavailableError(cause)`. */
export function errorText(error: unknown): string {
  const { name, message, status, cause } = error as {
    name?: string;
    message?: string;
    status?: number;
    cause?: unknown;
  };
  if (status !== undefined && cause === undefined) return `!${status}`;
  return cause === undefined
    ? `!${name ?? ''}${name === 'Error' ? ` ${message ?? ''}` : ''}`
    : `!${name ?? ''}(${errorText(cause)})`;
}

function eventText(event: TokenEvent): string {
  const head = `${event.at} ${event.type}`;
  switch (event.type) {
    case 'refreshStarted':
      return `${head} ${event.reason} ${event.attempt}`;
    case 'tokenChanged':
      return `${head} ${event.previous?.value ?? '-'} ${event.token.value} ${event.reason} ${event.took} ${event.origin}`;
    case 'refreshFailed':
      return `${head} ${errorText(event.error)} ${event.attempt} ${String(event.retryIn)}${event.permanent ? ' permanent' : ''}`;
    case 'tokenRejected':
      return `${head} ${event.token.value} ${event.outcome}`;
    case 'tokenExpired':
      return `${head} ${event.token.value}`;
    default:
      return head;
  }
}

/** Tokens as their values, errors as text: marbles compare errors by name and message only. */
export const plain = (source$: Observable<unknown>): Observable<string> =>
  source$.pipe(
    map(text),
    catchError((error: unknown) => throwError(() => errorText(error))),
  );

/** A response as servers of tests give it. */
export const answer = (status: number, challenge?: string): Response =>
  new Response(null, { status, headers: challenge === undefined ? {} : { 'www-authenticate': challenge } });

export const rejection = (status: number, challenge?: string): unknown =>
  Object.assign(new Error('rejected'), {
    status,
    headers: new Headers(challenge === undefined ? {} : { 'www-authenticate': challenge }),
  });

/** An unsigned JWT with the given claims. */
export const jwt = (claims: object): string =>
  ['{"alg":"none"}', JSON.stringify(claims), 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.');

export interface Served extends Rig {
  readonly sent: string[];
  /** A request whose answers are what `serve` makes of the token. */
  readonly call: (
    ms: number,
    name: string,
    serve: (token: string) => Observable<unknown>,
    options?: WithTokenOptions,
  ) => void;
  readonly end: (ms: number) => void;
  readonly outcomes: () => string[];
}

/** A stream in use, and a server. */
export function serving(m: Context, reply?: (n: number) => Reply, options?: TokenStreamOptions): Served {
  const rig = setUp(m, reply, options);
  const watching = rig.token$.subscribe({ error: () => undefined });
  const sent: string[] = [];
  return {
    ...rig,
    sent,
    call: (ms, name, serve, requestOptions) => {
      rig.at(ms, () => {
        const send = ({ value }: AccessToken) => (sent.push(`${m.scheduler.now()} ${name} ${value}`), serve(value));
        rig.tell(name, withToken(rig.token$, send, requestOptions));
      });
    },
    end: (ms) => {
      rig.at(ms, () => watching.unsubscribe());
      rig.at(ms, () => rig.token$.close());
      m.flush();
    },
    outcomes: () =>
      rig.events.filter((event) => event.includes('tokenRejected')).map((event) => event.replace(' tokenRejected', '')),
  };
}

/** Subscribes to the stream at once, and closes it at `ms`. */
export function subscribeUntil({ token$, at }: Pick<Rig, 'token$' | 'at'>, ms: number): void {
  const watching = token$.subscribe({ error: () => undefined });
  at(ms, () => {
    watching.unsubscribe();
  });
  at(ms, () => {
    token$.close();
  });
}
