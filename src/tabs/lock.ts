import { Observable } from 'rxjs';

/**
 * Does some work under a lock that one tab at a time can hold. The browser gives the lock back when the work is over,
 * is unsubscribed, or the tab is gone. Without Web Locks (an insecure context, a sandboxed frame) the work is done
 * without a lock. So it is when `expired$` emits first: a tab that is frozen in the middle of a fetch keeps the lock.
 */
export function exclusively<T>(name: string, work: () => Observable<T>, expired$: Observable<unknown>): Observable<T> {
  const { locks } = (globalThis as { navigator?: { locks?: LockManager } }).navigator ?? {};
  if (!locks) return work();
  // Hand-made: a lock is held for as long as the promise of its callback is pending.
  return new Observable((subscriber) => {
    const left = new AbortController();
    let begun = false;
    const begin = () => {
      if (begun || subscriber.closed) return;
      begun = true;
      subscriber.add(work().subscribe(subscriber));
    };
    const hold = () =>
      new Promise<void>((release) => {
        subscriber.add(() => {
          release();
        });
        begin();
      });
    const expiry = expired$.subscribe(() => {
      begin();
      left.abort();
    });
    // Async, since a browser or a polyfill may also throw at once.
    const request = async () =>
      locks.request(name, { signal: left.signal }, () => {
        expiry.unsubscribe();
        return hold();
      });
    request().catch(begin);
    return () => {
      expiry.unsubscribe();
      left.abort();
    };
  });
}
