import { of, throwError, type Observable } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { createTokenStream, withToken, type TokenEvent, type TokenRequest, type TokenStream } from 'rx-fresh-token';

const valueOf = (token$: TokenStream): Observable<string> => withToken(token$, ({ value }) => of(value));
const forbidden = Object.assign(new Error('revoked'), { error: 'invalid_grant' });

describe('the pause after a permanent failure', () => {
  it(
    'should not ask the source for one step of backoff after the first, however many ask',
    marbles((m) => {
      const asked: number[] = [];
      const token$ = createTokenStream(
        () => {
          asked.push(m.scheduler.now());
          return asked.length === 1 ? throwError(() => forbidden) : of({ access_token: 'T2' });
        },
        { scheduler: m.scheduler },
      );
      const log: unknown[] = [];
      for (const at of [0, 1, 249, 250]) {
        m.scheduler.schedule(
          () =>
            valueOf(token$).subscribe({
              next: (value) => log.push(value),
              error: (error: unknown) => log.push((error as Error).cause),
            }),
          at,
        );
      }
      m.flush();
      expect(log).toEqual([forbidden, forbidden, forbidden, 'T2']);
      expect(asked).toEqual([0, 250]);
    }),
  );

  it(
    'should last as long as it was meant to when the clock is set back',
    marbles((m) => {
      let asked = 0;
      let offset = 3_600_000;
      const token$ = createTokenStream(
        () => (++asked === 1 ? throwError(() => forbidden) : of({ access_token: 'T2' })),
        {
          scheduler: m.scheduler,
          now: () => m.scheduler.now() + offset,
          backoff: { initial: 5000 },
        },
      );
      const log: string[] = [];
      const ask = () =>
        valueOf(token$).subscribe({
          next: (value) => log.push(value),
          error: (error: unknown) => log.push((error as Error).name),
        });
      m.scheduler.schedule(ask, 0);
      m.scheduler.schedule(() => (offset = 0), 10);
      m.scheduler.schedule(ask, 4999);
      m.scheduler.schedule(ask, 5000);
      m.flush();
      expect(log).toEqual(['TokenUnavailableError', 'TokenUnavailableError', 'T2']);
    }),
  );
});

describe('what a source reports', () => {
  it(
    'should become an event of its attempt, and harm nobody',
    marbles((m) => {
      const failure = new Error('the refresh token could not be stored');
      const requests: TokenRequest[] = [];
      const token$ = createTokenStream(
        (request) => {
          if (requests.push(request) === 1) return throwError(() => new Error('down'));
          request.report?.(failure);
          return of({ access_token: 'T1' });
        },
        { scheduler: m.scheduler, random: () => 0 },
      );
      const events: TokenEvent[] = [];
      token$.events.subscribe((event) => events.push(event));
      m.expect(valueOf(token$)).toBeObservable('50ms (a|)', { a: 'T1' });
      m.flush();
      expect(events.map((event) => [event.type, event.at])).toEqual([
        ['refreshStarted', 0],
        ['refreshFailed', 0],
        ['refreshStarted', 50],
        ['refreshFailed', 50],
        ['tokenChanged', 50],
      ]);
      expect(events[3]).toEqual({
        type: 'refreshFailed',
        at: 50,
        error: failure,
        message: 'the refresh token could not be stored',
        attempt: 2,
        retryIn: null,
        permanent: false,
      });
      expect(Object.keys(requests[0]!)).not.toContain('report');
    }),
  );
});
