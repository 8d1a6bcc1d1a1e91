import type { Observable } from 'rxjs';
import { ConnectionState } from '../../src/connect/connectionState.js';
import { accessToken } from '../../src/token/decisions/accessToken.js';

const tokenOf = (value: string) => accessToken({ access_token: value }, 0, 30_000);
const [a, b] = [tokenOf('a'), tokenOf('b')];

function setUp(taken = a) {
  const clock = { time: 0, current: a };
  const state = new ConnectionState(taken, { current: () => clock.current, now: () => clock.time });
  const log: string[] = [];
  state.isOpen$.subscribe(() => log.push('open'));
  /** A connection that closes when it must. */
  const begin = (name: string): Observable<void> => {
    const close$ = state.begin();
    close$.subscribe(() => {
      log.push(`close ${name}`);
      state.closed(close$);
    });
    return close$;
  };
  return { clock, state, log, begin };
}

const fails = (): boolean => {
  throw new Error('must not be asked');
};

describe('the state of a connection and its successor', () => {
  it('should close the one in use when its successor is open, and not before', () => {
    const { state, log, begin } = setUp();
    state.opened(begin('a'));
    const second = begin('b');
    expect(log).toEqual(['open']);
    state.opened(second);
    state.opened(second);
    expect(log).toEqual(['open', 'close a']);
  });

  it('should give up a successor that is still opening for a newer one, and hear no more of it', () => {
    const { state, log, begin } = setUp();
    void begin('a');
    const second = begin('b');
    void begin('c');
    state.opened(second);
    expect(log).toEqual(['close b']);
    expect(state.endOf(null, a).openFor).toBe(-Infinity);
  });

  it('should hear no more of a connection that has ended', () => {
    const { state, log, begin } = setUp();
    const first = begin('a');
    state.closed(first);
    state.opened(first);
    expect(log).toEqual([]);
  });

  it('should have the successor take the place of one that has ended', () => {
    const { state, log, begin } = setUp();
    const first = begin('a');
    const second = begin('b');
    state.closed(first);
    expect(state.isLast(second, fails)).toBe(true);
    state.opened(second);
    expect(log).toEqual(['open']);
  });

  it('should end all with the only connection, and with a successor whose end is final', () => {
    const { state, begin } = setUp();
    const first = begin('a');
    expect(state.isLast(first, fails)).toBe(true);
    const second = begin('b');
    expect(state.isLast(first, () => true)).toBe(false);
    expect(state.isLast(second, () => false)).toBe(false);
    expect(state.isLast(second, () => true)).toBe(true);
    state.closed(second);
    expect(state.isLast(first, fails)).toBe(true);
  });
});

describe('what the end of a connection says', () => {
  it('should count the time from when the first connection was open', () => {
    const { clock, state, begin } = setUp();
    clock.time = 10;
    state.opened(begin('a'));
    clock.time = 25;
    state.opened(begin('b'));
    clock.time = 40;
    expect(state.endOf('lost', b)).toEqual({
      reason: 'lost',
      token: b,
      isTokenOver: true,
      hasMessage: false,
      openFor: 30,
    });
  });

  it('should name the token that the server was told last', () => {
    const { clock, state, begin } = setUp();
    void begin('a');
    state.announced = clock.current = b;
    state.hasMessage = true;
    expect(state.endOf(null, a)).toMatchObject({ token: b, isTokenOver: false, hasMessage: true });
  });

  it('should not call a token over that was not in use when it was taken', () => {
    const { state, begin } = setUp(b);
    void begin('b');
    expect(state.endOf(null, b).isTokenOver).toBe(false);
  });
});
