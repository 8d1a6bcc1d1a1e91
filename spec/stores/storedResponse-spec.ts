import { leastLife } from '../../src/stores/storedResponse.js';
import { accessToken } from '../../src/token/decisions/accessToken.js';
import { timesOf } from '../../src/token/decisions/tokenTimes.js';
import { jwt } from '../guarantees/rig.js';

const SETTINGS = { jitter: 0, random: () => 0 };

describe('the life that a token must have left to be handed out', () => {
  it.each([0.1, 1, 2, 3, 4, 5, 10, 30, 60, 3600, 86_400])(
    'should be more than a stream needs to use it, by what time passes on the way: of %d s',
    (seconds) => {
      const life = seconds * 1000;
      const opaque = { access_token: 'T1' };
      const whole = { access_token: jwt({ iat: 1000, exp: 1000 + seconds }) };
      for (const response of [opaque, whole]) {
        const { usableUntil } = timesOf(accessToken(response, 0, life, 'Bearer'), 0, 0, SETTINGS);
        expect(usableUntil - (life - leastLife(life))).toBeGreaterThanOrEqual(Math.min(500, Math.floor(life / 6)));
      }
    },
  );

  it('should be no more than half of it', () => {
    expect([0, 100, 2999, 3000, 60_000, Infinity].map(leastLife)).toEqual([0, 50, 1499.5, 1500, 1500, 1500]);
  });
});
