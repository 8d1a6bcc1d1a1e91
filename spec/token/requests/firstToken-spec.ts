import { TokenUnavailableError } from '../../../src/errors.js';
import { accessToken } from '../../../src/token/decisions/accessToken.js';
import { endOfWait, type EndOfWait, type Wait } from '../../../src/token/requests/firstToken.js';
import type { TokenUpdate } from '../../../src/token/decisions/receivedToken.js';
import type { StreamState } from '../../../src/token/decisions/state.js';
import { held, stateOf, token } from '../support.js';

const error = new TokenUnavailableError('no');
const event = { type: 'idle' } as const;
const attemptFailed: TokenUpdate = { type: 'attemptFailed', event };
const failed: TokenUpdate = { type: 'failed', error, session: null };
const signedOut: TokenUpdate = { type: 'signedOut', error, event };
const [first, second] = [held(), held({ token: accessToken({ access_token: 'T2' }, 0, 30_000) })];
const suspended = held({ isSuspended: true });
const next = new WeakSet();

describe('endOfWait', () => {
  it.each<[string, TokenUpdate, Wait, Partial<StreamState>, number, EndOfWait | null]>([
    ['a token', first, {}, { held: first }, 0, { token }],
    ['a token that has expired on arrival', first, {}, {}, 40_000, { token }],
    ['the token at hand, for a caller that needs another', first, { otherThan: first }, { held: first }, 0, null],
    ['that token, fetched again', held(), { otherThan: first }, { held: first }, 0, { token }],
    ['a failed attempt', attemptFailed, {}, {}, 0, null],
    ['the same, with a token that is usable again', attemptFailed, {}, { held: first }, 0, { token }],
    ['the same, with one that is suspended', attemptFailed, {}, { held: suspended }, 0, null],
    ['the same, with one that is over', attemptFailed, {}, { held: first }, 29_000, null],
    ['the same, for who needs another', attemptFailed, { otherThan: first }, { held: first }, 0, null],
    [
      'the same, for who waits for one attempt',
      attemptFailed,
      { otherThan: first, untilFailure: true },
      { held: first },
      0,
      { token: null },
    ],
    [
      'the same, if another token came',
      attemptFailed,
      { otherThan: first, untilFailure: true },
      { held: second },
      0,
      { token: second.token },
    ],
    [
      'the same, if the token at hand is over',
      attemptFailed,
      { otherThan: first, untilFailure: true },
      { held: first },
      29_000,
      null,
    ],
    ['a permanent failure', failed, {}, {}, 0, { error }],
    ['the same, with a usable token', failed, {}, { held: first }, 0, { token }],
    ['the same, for who needs another', failed, { otherThan: first }, { held: first }, 0, { error }],
    [
      'the same, for who waits for one attempt',
      failed,
      { otherThan: first, untilFailure: true },
      { held: first },
      0,
      { token: null },
    ],
    ['a sign-out', signedOut, {}, { sessionTokens: next }, 0, { error }],
    ['the same, with a token of the next session', signedOut, {}, { sessionTokens: next, held: second }, 0, { error }],
    ['a token of the next session', second, {}, { sessionTokens: next, held: second }, 0, null],
    ['a failed attempt of the next session', attemptFailed, {}, { sessionTokens: next, held: second }, 0, null],
  ])('should decide by %s', (_kind, update, wait, changes, now, result) => {
    const state = Object.freeze(stateOf(changes));
    const end = endOfWait(update, wait, null, state, now);
    expect(end).toEqual(result && expect.objectContaining(result));
  });
});
