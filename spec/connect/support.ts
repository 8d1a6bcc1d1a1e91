import { finalize, tap, type Observable } from 'rxjs';
import type { Context } from 'rxjs-marbles/jest';
import { createTokenStream, type AccessToken, type TokenStream, type TokenStreamOptions } from 'rx-fresh-token';
import { connectWithToken, type ConnectOptions } from 'rx-fresh-token/connect';
import { fakeTokenSource, type FakeTokenSource, type FakeTokenSourceOptions } from 'rx-fresh-token/testing';

/** What a connection ends with: a close event, a status, or another error. */
export const close = (code: number) => Object.assign(new Error(`close ${code}`), { code });
export const answered = (status: number, headers: Record<string, string> = {}) =>
  Object.assign(new Error(`status ${status}`), { status, headers });

const streams: TokenStream[] = [];
afterEach(() => {
  streams.splice(0).forEach((token$) => token$.close());
});

export interface Rig {
  readonly source: FakeTokenSource;
  readonly token$: TokenStream;
  /** `200 open a`, `900 close a`, `1000 message x`, `1000 error …`: what happened, and when. */
  readonly log: string[];
  /** `opened` of each connection, in order. */
  readonly openedBy: (() => void)[];
  readonly at: (ms: number, action: () => unknown) => void;
  /** Subscribes at once, and ends all at the given moment. */
  readonly run: (options?: ConnectOptions, until?: number) => void;
}

/**
 * Connections by the marble diagrams given, in order; the last one serves on. Tokens a, b, c … live 30 s and come at
 * once.
 */
export function setUp(
  m: Pick<Context, 'scheduler' | 'cold' | 'flush'>,
  diagrams: string[],
  errors: Record<string, unknown> = {},
  {
    source: sourceOptions,
    stream,
    isOpenAtOnce = true,
  }: { source?: FakeTokenSourceOptions; stream?: TokenStreamOptions; isOpenAtOnce?: boolean } = {},
): Rig {
  const { scheduler } = m;
  const source = fakeTokenSource({ scheduler, ...sourceOptions });
  const token$ = createTokenStream(source, { scheduler, jitter: 0, random: () => 1, ...stream });
  streams.push(token$);
  const log: string[] = [];
  const note = (text: string) => log.push(`${scheduler.now()} ${text}`);
  let count = 0;
  const openedBy: (() => void)[] = [];
  const connect = ({ value }: AccessToken, opened: () => void): Observable<string> => {
    note(`open ${value}`);
    const [diagram = '-', mark] = (diagrams[Math.min(count++, diagrams.length - 1)] ?? '-').split(' !');
    openedBy.push(opened);
    if (isOpenAtOnce) opened();
    return m.cold(diagram, undefined, errors[mark?.trim() ?? '']).pipe(finalize(() => note(`close ${value}`)));
  };
  return {
    source,
    token$,
    log,
    openedBy,
    at: (ms, action) => {
      scheduler.schedule(() => void action(), ms - scheduler.now());
    },
    run: (options = {}, until = 100_000) => {
      const { reconnect = {} } = options;
      const running = connectWithToken(token$, connect, {
        ...options,
        reconnect: reconnect && { random: () => 1, ...reconnect },
      })
        .pipe(
          tap({
            next: (message) => note(message),
            error: (error: unknown) => note(`error ${error instanceof Error ? error.message : String(error)}`),
            complete: () => note('complete'),
          }),
        )
        .subscribe({ error: () => undefined });
      scheduler.schedule(() => {
        running.unsubscribe();
        token$.close();
      }, until);
      m.flush();
    },
  };
}
