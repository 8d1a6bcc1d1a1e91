import { Observable } from 'rxjs';

/**
 * Does some work while no other tab does. The browser gives the lock back when the work is over, was given up, or the tab
 * is gone. Without Web Locks (an insecure context, a sandboxed frame) the work is done all the same.
 */
export function exclusively<T>(name: string, work: () => Observable<T>): Observable<T> {
  const { locks } = (globalThis as { navigator?: { locks?: LockManager } }).navigator ?? {};
  if (!locks) return work();
  // Hand-made: a lock is held for as long as the promise of its callback is pending.
  return new Observable((subscriber) => {
    const left = new AbortController();
    let granted = false;
    const hold = () =>
      new Promise<void>((release) => {
        granted = true;
        subscriber.add(() => {
          release();
        });
        subscriber.add(work().subscribe(subscriber));
      });
    locks.request(name, { signal: left.signal }, hold).catch(() => {
      if (!granted) subscriber.add(work().subscribe(subscriber));
    });
    return () => {
      left.abort();
    };
  });
}
