import { TokenUnavailableError } from '../../../src/errors.js';
import { accessToken } from '../../../src/token/decisions/accessToken.js';
import type { ReceivedToken, TokenUpdate } from '../../../src/token/decisions/receivedToken.js';
import {
  blockingFailure,
  freshHeld,
  initialState,
  isAttemptDue,
  isWanted,
  pauseLeft,
  stillHolds,
  usableToken,
  whyRefresh,
  type StreamState,
} from '../../../src/token/decisions/state.js';
import { held, refresh, stateOf, token } from '../support.js';

const failure = new TokenUnavailableError('no');
const rejection = { key: 'a', kind: 'bare' } as const;

describe('freshHeld', () => {
  it.each<[string, Partial<ReceivedToken>, number, boolean]>([
    ['new', {}, 0, true],
    ['about to be due', {}, 24_999, true],
    ['due', {}, 25_000, false],
    ['over', {}, 29_000, false],
    ['over before it is due', { renewAt: Infinity }, 29_000, false],
    ['set aside', { isSuspended: true }, 0, false],
    ['of unknown life', { renewAt: Infinity, usableUntil: Infinity }, 1e15, true],
  ])('should judge a token that is %s', (_kind, changes, now, fresh) => {
    const at = held(changes);
    expect(freshHeld(stateOf({ held: at }), now)).toBe(fresh ? at : null);
  });
});

describe('usableToken', () => {
  it.each<[string, ReceivedToken | null, number, boolean]>([
    ['none', null, 0, false],
    ['fresh', held(), 0, true],
    ['due', held(), 25_000, true],
    ['nearly over', held(), 28_999, true],
    ['over', held(), 29_000, false],
    ['set aside', held({ isSuspended: true }), 0, false],
  ])('should judge what is %s', (_kind, at, now, usable) => {
    expect(usableToken(stateOf({ held: at }), now)).toBe(usable ? token : null);
  });
});

describe('pauseLeft', () => {
  it.each<[string, number, number, number]>([
    ['no pause', -Infinity, 5000, 0],
    ['the beginning', 1250, 1000, 250],
    ['the end', 1250, 1250, 0],
    ['long after', 1250, 9000, 0],
  ])('should count what is left of a pause: %s', (_kind, pausedUntil, now, left) => {
    expect(pauseLeft(stateOf({ pausedUntil }), now)).toBe(left);
  });
});

describe('blockingFailure', () => {
  it.each<[string, Partial<StreamState>, number, boolean]>([
    ['in the pause after a permanent failure', { permanentFailure: failure, pausedUntil: 250 }, 249, true],
    ['after that pause', { permanentFailure: failure, pausedUntil: 250 }, 250, false],
    ['in the pause after another failure', { pausedUntil: 250 }, 10, false],
    ['without any failure', {}, 0, false],
  ])('should be judged %s', (_kind, changes, now, blocked) => {
    expect(blockingFailure(stateOf(changes), now)).toBe(blocked ? failure : null);
  });
});

describe('isWanted', () => {
  const used = { lastUse: 10_000, last: held() };
  const unknown = accessToken({ access_token: 'T1' }, 0, Infinity);

  it.each<[string, Partial<StreamState>, number, number | undefined, boolean]>([
    ['by nobody', {}, 0, undefined, false],
    ['by a subscriber', { subscribers: 1 }, 1e9, 0, true],
    ['by whoever forced a refresh', { forcedBy: 'manual' }, 1e9, 0, true],
    ['because it was rejected', { forcedBy: rejection }, 1e9, 0, true],
    ['within one life of its last use', used, 39_999, undefined, true],
    ['one life after its last use', used, 40_000, undefined, false],
    ['within idleTimeout', used, 10_499, 500, true],
    ['at the end of idleTimeout', used, 10_500, 500, false],
    ['right after its use, without idleTimeout', used, 10_000, 0, false],
    ['for ever', used, 1e12, Infinity, true],
    ['within maxWait, its life being unknown', { lastUse: 0, last: held({ token: unknown }) }, 2999, undefined, true],
    ['after maxWait, its life being unknown', { lastUse: 0, last: held({ token: unknown }) }, 3000, undefined, false],
  ])('should be judged: %s', (_kind, changes, now, idleTimeout, wanted) => {
    expect(isWanted(stateOf(changes), now, { idleTimeout, maxWait: 3000 })).toBe(wanted);
  });
});

describe('whyRefresh', () => {
  it.each<[string, Partial<StreamState>, number, string | null]>([
    ['there never was a token', {}, 0, 'initial'],
    ['the last one could not be kept', { last: held() }, 0, 'expired'],
    ['it is fresh', { held: held(), last: held() }, 24_999, null],
    ['it is due', { held: held(), last: held() }, 25_000, 'scheduled'],
    ['it is over', { held: held(), last: held() }, 29_000, 'expired'],
    ['a server rejected it', { held: held({ isSuspended: true }), last: held() }, 0, 'expired'],
    ['a rejection forces it', { held: held({ isSuspended: true }), forcedBy: rejection }, 0, 'rejected'],
    ['somebody forces it', { held: held(), forcedBy: 'manual' }, 0, 'manual'],
    ['somebody forces it when it is over', { held: held(), forcedBy: 'manual' }, 29_000, 'manual'],
    ['its life is unknown', { held: held({ renewAt: Infinity, usableUntil: Infinity }) }, 1e12, null],
    ['there is none, but a pause', { pausedUntil: 250 }, 249, null],
    ['there is none, and the pause is over', { pausedUntil: 250 }, 250, 'initial'],
    ['somebody forces it during a pause', { forcedBy: 'manual', pausedUntil: 250 }, 249, null],
    ['the session has ended', { isSignedOut: true }, 0, null],
    ['the session has ended, and somebody forces it', { isSignedOut: true, forcedBy: 'manual' }, 0, null],
  ])('should say why: %s', (_kind, changes, now, reason) => {
    expect(whyRefresh(stateOf(changes), now)).toBe(reason);
  });
});

describe('isAttemptDue', () => {
  it.each<[string, Partial<StreamState>, boolean]>([
    ['there is no token', {}, true],
    ['there is none, but a pause', { pausedUntil: 250 }, false],
    ['the token is fresh', { held: held() }, false],
    ['a refresh is under way, whose cause is forgotten', { held: held(), refresh }, true],
  ])('should be judged, if %s', (_kind, changes, needed) => {
    expect(isAttemptDue(stateOf(changes), 0)).toBe(needed);
  });
});

describe('stillHolds', () => {
  const update = held();
  const event = { type: 'idle' } as const;
  const failed = { type: 'failed', error: failure, session: null } as const;
  const session = new WeakSet();

  it.each<[string, TokenUpdate, Partial<StreamState>, number, boolean]>([
    ['a token at hand', update, { held: update }, 0, true],
    ['one that is over', update, { held: update }, 29_000, false],
    ['one that came again', update, { held: held() }, 0, false],
    ['one that is forgotten', update, {}, 0, false],
    ['one that is used once', update, { singleUse: token }, 40_000, true],
    ['a failure of the session', failed, {}, 0, true],
    ['a failure of a session that ended', failed, { sessionTokens: session }, 0, false],
    ['a failed attempt', { type: 'attemptFailed', event }, {}, 0, true],
    ['a sign-out', { type: 'signedOut', error: failure, event }, { sessionTokens: session }, 0, true],
  ])('should judge %s', (_kind, told, changes, now, holds) => {
    expect(stillHolds(told, stateOf(changes), now)).toBe(holds);
  });
});

it('should begin with nothing, for each stream anew', () => {
  const [one, other] = [initialState(), initialState()];
  expect([usableToken(one, 0), pauseLeft(one, 0), blockingFailure(one, 0)]).toEqual([null, 0, null]);
  expect(one).not.toBe(other);
  expect(one).toEqual(other);
});

it('should decide and change nothing', () => {
  const state = Object.freeze(
    stateOf({
      held: Object.freeze(held({ isSuspended: true })),
      last: held(),
      permanentFailure: failure,
      pausedUntil: 5,
    }),
  );
  usableToken(state, 9);
  pauseLeft(state, 9);
  blockingFailure(state, 9);
  isWanted(state, 9, { idleTimeout: 1, maxWait: 1 });
  expect(whyRefresh(state, 9)).toBe('expired');
});
