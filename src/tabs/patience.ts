import { Observable, timer } from 'rxjs';

/**
 * Emits after `ms`, in hidden pages too. Their timers are slowed to one a second, or one a minute, and other tabs may be
 * waiting for the lock meanwhile; messages are not slowed.
 */
export function after(ms: number): Observable<unknown> {
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
    return () => {
      port1.close();
    };
  });
}
