/** Lets one tab at a time fetch, and does not wait for ever for a tab that the browser has frozen. */
import { fromEvent, merge, type Observable } from 'rxjs';
import { orAborted, reasonOf } from '../internal/async/onAbort.js';
import type { Timers } from '../internal/time/timers.js';

/**
 * This tab's place in the queue for the lock of all tabs.
 *
 * @param limit ms to wait in all, since the last token, before the work is done without the lock
 */
export function createLockQueue(
  name: string,
  { limit, opened$, timers }: { limit: number; opened$: Observable<unknown>; timers: Timers },
) {
  // The stream's own timeout may end a wait sooner; the next attempt goes on counting from there.
  let waited = 0;

  return {
    /**
     * Does some work under a Web Lock, which one tab at a time can hold, until the work is over or the tab is gone.
     * Without the lock when this tab has waited for `limit` ms (a tab that is frozen during a fetch keeps it),
     * and where there are no Web Locks (an insecure context, a sandboxed frame). Not if `abandoned` aborts before.
     * The wait begins when the page is open.
     */
    run: async <T>(work: () => Promise<T>, abandoned: AbortSignal): Promise<T> => {
      const { locks } = (globalThis as { navigator?: { locks?: LockManager } }).navigator ?? {};
      if (!locks) return work();
      await orAborted(opened$, abandoned);
      const since = performance.now();
      const waiting = new AbortController();
      const end = merge(timers.after(limit - waited), fromEvent(abandoned, 'abort')).subscribe(() => waiting.abort());
      let result: Promise<T> | undefined;
      const begin = (): Promise<T> => {
        end.unsubscribe();
        if (!result && abandoned.aborted) throw reasonOf(abandoned);
        return (result ??= work());
      };
      try {
        // A polyfill may not know the signal.
        return await orAborted(locks.request(name, { signal: waiting.signal }, begin), waiting.signal);
      } catch {
        // The wait has ended, the browser forbids locks, or the work failed.
        return await begin();
      } finally {
        if (!result) waited += performance.now() - since;
      }
    },
    /** A token came: the time waited so far no longer counts. */
    reset: (): void => {
      waited = 0;
    },
  };
}
