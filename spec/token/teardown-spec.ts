import { Observable, of, timer, switchMap } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { createTokenStream, type TokenEvent, type TokenResponse, type TokenStream } from 'rx-fresh-token';

/** Answers after 1 ms, and throws when it is unsubscribed. */
const failing$ = (value: string) =>
  new Observable<TokenResponse>((subscriber) => {
    const answering = timer(1)
      .pipe(switchMap(() => of({ access_token: value, expires_in: 60 })))
      .subscribe(subscriber);
    return () => {
      answering.unsubscribe();
      throw new Error('teardown');
    };
  });

const failuresOf = (token$: TokenStream) => {
  const failures: TokenEvent[] = [];
  token$.events.subscribe((event) => {
    if (event.type === 'refreshFailed') failures.push(event);
  });
  return failures;
};

describe('a source whose teardown throws', () => {
  it(
    'should give its token to subscribers, who stay, and report what was thrown',
    marbles((m) => {
      const token$ = createTokenStream(() => failing$('T1'), { scheduler: m.scheduler, jitter: 0, expiryMargin: 0 });
      const failures = failuresOf(token$);
      const seen: unknown[] = [];
      token$.subscribe({ next: ({ value }) => seen.push(value), error: (error: unknown) => seen.push(error) });
      m.scheduler.schedule(() => {
        expect(seen).toEqual(['T1']);
        expect(failures).toEqual([expect.objectContaining({ message: expect.stringContaining('teardown') as string })]);
        token$.close();
      }, 10);
      m.flush();
    }),
  );

  it(
    'should not end subscribers when the session ends during the fetch',
    marbles((m) => {
      const token$ = createTokenStream(() => failing$('T1'), { scheduler: m.scheduler });
      const failures = failuresOf(token$);
      const error = jest.fn();
      token$.subscribe({ error });
      token$.signOut();
      expect(error).not.toHaveBeenCalled();
      expect(failures).toHaveLength(1);
      token$.close();
    }),
  );
});
