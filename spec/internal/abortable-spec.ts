import { firstValueFrom, NEVER, of } from 'rxjs';
import { abortable } from '../../src/internal/async/abortable.js';

it('should have its signal aborted when the subscriber leaves, and no sooner', () => {
  let signal: AbortSignal | undefined;
  const work$ = abortable((given) => {
    signal = given;
    return NEVER;
  });
  expect(signal).toBeUndefined();
  const subscription = work$.subscribe();
  expect(signal?.aborted).toBe(false);
  subscription.unsubscribe();
  expect(signal?.aborted).toBe(true);
});

it('should emit what the work does', async () => {
  expect(await firstValueFrom(abortable(() => of(1)))).toBe(1);
});
