/** A timer that browsers do not slow down in hidden tabs. */
import { Observable, timer } from 'rxjs';

/**
 * Emits once after `ms`, in hidden pages too. Browsers slow down the timers of hidden pages to one a second, or one a
 * minute, while other tabs may be waiting for the lock. They do not slow down messages.
 */
export function unthrottledTimer(ms: number): Observable<unknown> {
  const { document } = globalThis as { document?: { readonly hidden?: boolean } };
  if (!document?.hidden) return timer(ms);
  return new Observable((subscriber) => {
    const { port1, port2 } = new MessageChannel();
    const end = performance.now() + ms;
    port1.onmessage = () => {
      if (performance.now() >= end) subscriber.next(undefined);
      else port2.postMessage(null);
    };
    port2.postMessage(null);
    return () => port1.close();
  });
}
