import { Observable } from 'rxjs';

/**
 * Does some work while no other tab does. The browser gives the lock back when the work is over, was given up, or the tab
 * is gone. Without Web Locks (an insecure context, a sandboxed frame) the work is done all the same; so it is when
 * `patience$` ends first: a tab that stands still in mid-fetch keeps the lock.
 */
export function exclusively<T>(name: string, work: () => Observable<T>, patience$: Observable<unknown>): Observable<T> {
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
    const impatient = patience$.subscribe(() => {
      begin();
      left.abort();
    });
    locks
      .request(name, { signal: left.signal }, () => {
        impatient.unsubscribe();
        return hold();
      })
      .catch(begin);
    return () => {
      impatient.unsubscribe();
      left.abort();
    };
  });
}
