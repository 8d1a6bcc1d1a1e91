import { TokenUnavailableError } from '../../../src/errors.js';
import { accessToken } from '../../../src/token/decisions/accessToken.js';
import type { RejectionOutcome } from '../../../src/token/events.js';
import { createRejectionMemory } from '../../../src/token/decisions/rejectionMemory.js';
import { rejectionOutcome } from '../../../src/token/decisions/rejectionOutcome.js';
import type { StreamState } from '../../../src/token/decisions/state.js';
import { held, refresh, stateOf, token } from '../support.js';

const other = accessToken({ access_token: 'T2' }, 0, 30_000);
const rejection = { token, kind: 'bare', key: 'a' } as const;
const memory = { isRemembered: () => false, mayForce: () => true };
const remembering = { ...memory, isRemembered: () => true };
const spent = { ...memory, mayForce: () => false };
const failed = { permanentFailure: new TokenUnavailableError('no') };

describe('rejectionOutcome', () => {
  it.each<[string, RejectionOutcome, Partial<StreamState>, typeof memory, number]>([
    ['there is no token', 'alreadyReplaced', {}, remembering, 0],
    ['there is another token', 'alreadyReplaced', { held: held({ token: other }) }, remembering, 0],
    ['the token is at hand', 'refreshing', { held: held() }, memory, 0],
    ['a refresh has not helped the resource', 'suppressed', { held: held() }, remembering, 0],
    ['a refresh has not helped, and one is under way', 'suppressed', { held: held(), refresh }, remembering, 0],
    ['the budget is used up', 'suppressed', { held: held() }, spent, 0],
    ['the token is being replaced', 'refreshing', { held: held(), refresh }, spent, 0],
    ['a refresh is forced', 'refreshing', { held: held(), forcedBy: 'manual' }, spent, 0],
    [
      'the store brought the token during the refresh',
      'suppressed',
      { held: held(), refresh: { ...refresh, isSuperseded: true } },
      spent,
      0,
    ],
    ['the token is over', 'refreshing', { held: held() }, spent, 29_000],
    ['the token is suspended', 'refreshing', { held: held({ isSuspended: true }) }, spent, 0],
    ['the next attempt is near', 'refreshing', { held: held(), refresh, pausedUntil: 1000 }, spent, 0],
    ['the next attempt is far', 'suppressed', { held: held(), refresh, pausedUntil: 1001 }, memory, 0],
    ['the token is over, and the next attempt far', 'refreshing', { held: held(), pausedUntil: 40_000 }, spent, 29_000],
    [
      'it is the pause after a permanent failure',
      'suppressed',
      { held: held(), pausedUntil: 500, ...failed },
      memory,
      0,
    ],
    ['that pause is over', 'refreshing', { held: held(), pausedUntil: 500, ...failed }, memory, 500],
  ])('if %s, should be %p', (_kind, outcome, changes, remembered, now) => {
    expect(rejectionOutcome(stateOf(changes), remembered, rejection, now)).toBe(outcome);
  });

  it('should ask the memory for this rejection, and change nothing', () => {
    const state = Object.freeze(stateOf({ held: Object.freeze(held({ isAccepted: true })) }));
    const asked: unknown[] = [];
    const decide = () =>
      rejectionOutcome(
        state,
        {
          isRemembered: (...given) => asked.push(given) === 0,
          mayForce: (...given) => asked.push(given) > 0,
        },
        rejection,
        9,
      );
    expect(decide()).toBe('refreshing');
    expect(asked).toEqual([
      [rejection, 9, true],
      ['bare', true, 9],
    ]);
    const full = createRejectionMemory({ max: 1, per: 100 });
    for (let i = 0; i < 3; i++) expect(rejectionOutcome(state, full, rejection, 9)).toBe('refreshing');
  });
});
