import { defer, map, timer, VirtualTimeScheduler } from 'rxjs';
import { OUTAGE } from '../../examples/live/buttons.js';
import { LATENCY, STREAM, TOKEN_LIFETIME } from '../../examples/live/setting.js';
import { createTokenStream } from '../../src/index.js';

const RUN = 2 * TOKEN_LIFETIME * 1_000;
/** How long the page waits before it says that the endpoint is down. */
const REFUSAL = 150;

/** How often, every 50 ms, there was no usable token, with an outage that begins at a moment. */
function timesWithout(from: number, length: number, random: number): number {
  const scheduler = new VirtualTimeScheduler();
  let tokens = 0;
  const token$ = createTokenStream(
    () =>
      defer(() => {
        const now = scheduler.now();
        if (now >= from && now < from + length)
          return timer(REFUSAL, scheduler).pipe(
            map((): never => {
              throw Object.assign(new Error('down'), { status: 503 });
            }),
          );
        return timer(LATENCY.token, scheduler).pipe(
          map(() => ({ access_token: `T${++tokens}`, expires_in: TOKEN_LIFETIME })),
        );
      }),
    { ...STREAM, scheduler, random: () => random },
  );
  let without = 0;
  token$.subscribe();
  for (let at = 500; at < RUN; at += 50)
    scheduler.schedule(() => {
      if (token$.current === null) without += 1;
    }, at);
  scheduler.schedule(() => token$.close(), RUN);
  scheduler.flush();
  return without;
}

describe('an outage of the live page', () => {
  const moments = Array.from({ length: 40 }, (_, index) => 500 + 200 * index);

  it.each([0, 0.5, 0.999])(
    'that is the short one should leave the library a token at any moment, by luck %p',
    (luck) => {
      expect(moments.filter((from) => timesWithout(from, OUTAGE.short, luck) > 0)).toEqual([]);
    },
  );

  it('that is the long one should cost it one', () => {
    expect(timesWithout(5_000, OUTAGE.long, 0.5)).toBeGreaterThan(0);
  });
});
