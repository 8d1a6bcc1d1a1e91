import { of } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { createTokenStream } from 'rx-fresh-token';
import { jwt, setUp } from './rig.js';

describe('1: when a token is renewed', () => {
  it(
    '1: should renew without jitter when random gives NaN',
    marbles((m) => {
      const rig = setUp(m, undefined, { jitter: 0.2, random: () => NaN });
      rig.at(0, () => {
        rig.tell('s', rig.token$);
      });
      rig.at(30_000, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.asked).toEqual(['0 initial', '25000 scheduled']);
    }),
  );
});

describe('4: the very moment at which a token is over', () => {
  it(
    'should find no request that still takes it',
    marbles((m) => {
      const rig = setUp(m, () => ({ took: 200 }), { refreshBefore: 0, idleTimeout: 0 });
      rig.ask(29_000, 'b');
      rig.ask(0, 'a');
      m.flush();
      expect(rig.log).toEqual(['200 a T1', '29200 b T2']);
    }),
  );
});

describe('3: when a token ends', () => {
  it(
    '3: an initial JWT ends at its exp, not exp - iat from now',
    marbles((m) => {
      const now = 1_000_000;
      const token$ = createTokenStream(() => of(), {
        scheduler: m.scheduler,
        now: () => now * 1000 + m.scheduler.now(),
        initial: { access_token: jwt({ iat: now - 3590, exp: now + 10 }) },
      });
      const expiresAt = token$.current!.expiresAt;
      token$.close();
      expect(expiresAt).toBe((now + 10) * 1000);
    }),
  );

  it(
    'events: tokenExpired comes once, when a token ends with no successor',
    marbles((m) => {
      const rig = setUp(m, undefined, { idleTimeout: 0 });
      rig.ask(0, 'a');
      m.flush();
      expect(rig.events.slice(-2)).toEqual(['25000 idle', '30000 tokenExpired T1']);
    }),
  );
});
