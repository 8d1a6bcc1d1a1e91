import { asyncScheduler } from 'rxjs';
import { createTimers } from '../../src/internal/timers.js';
import { pendingSignOut } from '../../src/stores/pendingSignOut.js';

const timers = createTimers(asyncScheduler);

describe('a sign-out that the others do not know of yet', () => {
  it('should be sent when it begins at the moment at which the one before has been sent', async () => {
    const sent: string[] = [];
    const pending = pendingSignOut((id) => {
      sent.push(id);
      return Promise.resolve();
    }, timers);
    pending.begin('a');
    await pending.flushed();
    pending.begin('b');
    await new Promise(setImmediate);
    expect([sent, pending.id()]).toEqual([['a', 'b'], null]);
  });

  it('should be sent again until the others know of it', async () => {
    let left = 2;
    const pending = pendingSignOut(() => (left-- > 0 ? Promise.reject(new Error('away')) : Promise.resolve()), timers);
    pending.begin('a');
    await expect(pending.flushed()).rejects.toThrow('away');
    expect(pending.id()).toBe('a');
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(pending.id()).toBeNull();
  });
});
