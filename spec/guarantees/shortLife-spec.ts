import { take } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { setUp, subscribeUntil } from './rig.js';

describe('3: a token that ends too soon to be kept', () => {
  it(
    '3 and 24: a subscriber does not starve when tokens that cannot be kept follow one that has ended',
    marbles((m) => {
      const rig = setUp(m, (n) => ({ life: n === 1 ? 30 : 0 }));
      subscribeUntil(rig, 33_500);
      m.flush();
      expect(rig.asked.map((x) => parseInt(x))).toEqual([
        0, 25_000, 26_000, 27_000, 28_000, 29_000, 30_000, 31_000, 32_000, 33_000,
      ]);
    }),
  );

  it(
    '3: the same after an outage past the end',
    marbles((m) => {
      const rig = setUp(
        m,
        (n) =>
          n === 1 ? {} : m.scheduler.now() < 31_000 ? { took: 0, fail: new Error('down') } : { took: 0, life: 0 },
        { random: () => 1 },
      );
      subscribeUntil(rig, 60_000);
      m.flush();
      expect(rig.asked.length).toBeGreaterThan(20);
    }),
  );

  it(
    'events: tokenChanged does not announce a token that replaced nothing',
    marbles((m) => {
      const rig = setUp(m, (n) => ({ took: 0, life: n === 1 ? 30 : 0 }));
      subscribeUntil(rig, 26_500);
      m.flush();
      expect(rig.events.filter((e) => e.includes('tokenChanged'))).toHaveLength(1);
    }),
  );
});

describe('14: a token without life', () => {
  it(
    'should not be heard after a better one that its announcement brought about',
    marbles((m) => {
      const rig = setUp(m, (n) => ({ took: n === 1 ? 200 : 0, life: n === 1 ? 0 : 30 }), { idleTimeout: 0 });
      let once = true;
      rig.token$.events.subscribe((event) => {
        if (event.type !== 'tokenChanged' || !once) return;
        once = false;
        rig.tell('s', rig.token$);
      });
      rig.tell('s', rig.token$.pipe(take(1)));
      rig.at(1300, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.log).toEqual(['200 s T1', '1000 s T2']);
    }),
  );
});

it(
  '14: should say which attempt brought a token without life, and when the next one comes',
  marbles((m) => {
    const rig = setUp(
      m,
      (n) => (n === 2 ? { took: 0, fail: new Error('down') } : { took: 100, life: n === 3 ? 0 : 30 }),
      { random: () => 0 },
    );
    rig.at(0, () => {
      rig.tell('s', rig.token$);
    });
    rig.at(28_000, () => {
      rig.token$.close();
    });
    m.flush();
    expect(rig.events.filter((line) => line.includes('Failed'))).toEqual([
      '25000 refreshFailed !Error down 1 50',
      '25150 refreshFailed !InvalidTokenResponseError 2 900',
    ]);
    expect(rig.asked).toEqual(['0 initial', '25000 scheduled', '25050 scheduled #2', '26050 scheduled']);
  }),
);
