import { asyncScheduler } from 'rxjs';
import { createTimers } from '../../src/internal/time/timers.js';
import { until } from '../until.js';
import { createStoreSession } from '../../src/stores/session.js';

const timers = createTimers(asyncScheduler);

describe('a sign-out that the others do not know of yet', () => {
  it('should be sent when it begins at the moment at which the one before has been sent', async () => {
    const sent: string[] = [];
    const session = createStoreSession((id) => {
      sent.push(id);
      return Promise.resolve();
    }, timers);
    await session.signOut('a');
    await session.publishPending();
    void session.signOut('b');
    await new Promise(setImmediate);
    expect([sent, session.isPublishPending()]).toEqual([['a', 'b'], false]);
  });

  it('should be sent, too, when it begins while the one before is being sent', async () => {
    const sent: string[] = [];
    const arrived: (() => void)[] = [];
    const session = createStoreSession((id) => {
      sent.push(id);
      return new Promise<void>((resolve) => arrived.push(resolve));
    }, timers);
    const first = session.signOut('a');
    const second = session.signOut('b');
    arrived[0]?.();
    await until(() => sent.length === 2);
    expect([sent, session.isPublishPending()]).toEqual([['a', 'b'], true]);
    arrived[1]?.();
    await Promise.all([first, second]);
    expect([sent, session.isPublishPending()]).toEqual([['a', 'b'], false]);
  });

  it('should be sent again until the others know of it', async () => {
    let left = 3;
    const session = createStoreSession(
      () => (left-- > 0 ? Promise.reject(new Error('away')) : Promise.resolve()),
      timers,
    );
    await expect(session.signOut('a')).rejects.toThrow('away');
    await expect(session.publishPending()).rejects.toThrow('away');
    expect(session.isPublishPending()).toBe(true);
    await until(() => !session.isPublishPending());
  });
});
