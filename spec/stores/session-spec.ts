import { asyncScheduler } from 'rxjs';
import { createTimers } from '../../src/internal/timers.js';
import { createStoreSession } from '../../src/stores/session.js';

const timers = createTimers(asyncScheduler);

describe('a sign-out that the others do not know of yet', () => {
  it('should be sent when it begins at the moment at which the one before has been sent', async () => {
    const sent: string[] = [];
    const session = createStoreSession((id) => {
      sent.push(id);
      return Promise.resolve();
    }, timers);
    session.signOut('a');
    await session.published();
    session.signOut('b');
    await new Promise(setImmediate);
    expect([sent, session.isUnpublished()]).toEqual([['a', 'b'], false]);
  });

  it('should be sent again until the others know of it', async () => {
    let left = 2;
    const session = createStoreSession(
      () => (left-- > 0 ? Promise.reject(new Error('away')) : Promise.resolve()),
      timers,
    );
    session.signOut('a');
    await expect(session.published()).rejects.toThrow('away');
    expect(session.isUnpublished()).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(session.isUnpublished()).toBe(false);
  });
});
