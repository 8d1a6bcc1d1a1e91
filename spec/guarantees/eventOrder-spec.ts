import { take } from 'rxjs';
import { cases, marbles } from 'rxjs-marbles/jest';
import { takeToken, type TokenEvent, type TokenStream } from 'rx-fresh-token';
import { openStream, setUp } from './rig.js';

const plainEvent = (event: TokenEvent): string =>
  [event.type, 'token' in event ? event.token.value : 'attempt' in event ? event.attempt : ''].join(' ').trim();

/** What two listeners hear, of which the first acts once on an event of that type. */
function storiesOf(token$: TokenStream, type: TokenEvent['type'], act: () => unknown): [string[], string[]] {
  const stories: [string[], string[]] = [[], []];
  let isDone = false;
  token$.events.subscribe({
    next: (event) => {
      stories[0].push(plainEvent(event));
      if (isDone || event.type !== type) return;
      isDone = true;
      act();
    },
    complete: () => stories[0].push('|'),
  });
  token$.events.subscribe({
    next: (event) => stories[1].push(plainEvent(event)),
    complete: () => stories[1].push('|'),
  });
  return stories;
}

const refreshAndClose = (token$: TokenStream): void => {
  token$.refresh().subscribe({ error: () => undefined });
  token$.close();
};

describe('38: events tell every listener the same story in the same order', () => {
  cases(
    'whatever the first listener does',
    (m, { type, act, fails = false }) => {
      const rig = setUp(m, (n) => ({ took: 0, ...(fails && n === 1 && { fail: { status: 400 } }) }), {
        idleTimeout: 0,
      });
      const stories = storiesOf(rig.token$, type, () => act(rig.token$));
      rig.ask(0, 'a');
      rig.at(1000, () => rig.token$.current && rig.token$.reject(rig.token$.current));
      rig.at(2000, () => rig.token$.close());
      m.flush();
      expect(stories[0].length).toBeGreaterThan(3);
      expect(stories[1]).toEqual(stories[0]);
      expect(stories[0].at(-1)).toBe('|');
      expect(stories[0].filter((entry) => entry === 'closed')).toHaveLength(1);
    },
    [
      { name: 'close() on a permanent failure', type: 'refreshFailed', act: (token$) => token$.close(), fails: true },
      { name: 'refresh() on a change', type: 'tokenChanged', act: (token$) => token$.refresh().subscribe() },
      { name: 'refresh() when one starts', type: 'refreshStarted', act: (token$) => token$.refresh().subscribe() },
      { name: 'reject() on a change', type: 'tokenChanged', act: (token$) => token$.reject(token$.current!) },
      { name: 'signOut() on a change', type: 'tokenChanged', act: (token$) => token$.signOut() },
      {
        name: 'close() on a change',
        type: 'tokenChanged',
        act: refreshAndClose,
      },
      { name: 'takeToken on a rejection', type: 'tokenRejected', act: (token$) => takeToken(token$).subscribe() },
      { name: 'a subscription when it is idle', type: 'idle', act: (token$) => token$.pipe(take(1)).subscribe() },
    ] as { name: string; type: TokenEvent['type']; act: (token$: TokenStream) => unknown; fails?: boolean }[],
  );

  it('and complete when the stream closes, for whoever comes later too', () => {
    const token$ = openStream(() => [{ access_token: 'T1', expires_in: 30 }]);
    token$.close();
    const complete = jest.fn();
    token$.events.subscribe({ complete });
    expect(complete).toHaveBeenCalledTimes(1);
  });

  it(
    'with times that never go back',
    marbles((m) => {
      const rig = setUp(m, () => ({ took: 0 }), { idleTimeout: 0 });
      const times: number[] = [];
      rig.token$.events.subscribe(({ at, type }) => {
        times.push(at);
        if (type === 'tokenChanged' && times.length < 20) rig.token$.refresh().subscribe();
      });
      rig.ask(5, 'a');
      m.flush();
      expect(times.length).toBeGreaterThan(20);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }),
  );
});
