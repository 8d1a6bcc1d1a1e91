import { TokenUnavailableError } from '../../../src/errors.js';
import type { TokenUpdate } from '../../../src/token/decisions/receivedToken.js';
import { viewOf } from '../../../src/token/requests/tokenViews.js';
import type { AccessToken } from '../../../src/token/types.js';
import { held, token } from '../support.js';

const error = new TokenUnavailableError('no');
const event = { type: 'idle' } as const;
const failed: TokenUpdate = { type: 'failed', error, session: null };

describe('viewOf', () => {
  it.each<[string, TokenUpdate, AccessToken | null, AccessToken | null]>([
    ['a token that is usable', held(), token, token],
    ['one that is used once', held(), null, token],
    ['a failed attempt', { type: 'attemptFailed', event }, null, null],
    ['the same, with a usable token', { type: 'attemptFailed', event }, token, token],
    ['a permanent failure, with a usable token', failed, token, token],
    ['a sign-out', { type: 'signedOut', error, event }, null, null],
  ])('should show a subscriber %s', (_kind, update, usable, shown) => {
    expect(viewOf(update, usable)).toBe(shown);
  });

  it('should end a subscriber by a permanent failure if no token is usable', () => {
    expect(() => viewOf(failed, null)).toThrow(error);
  });
});
