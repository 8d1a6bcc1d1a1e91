/** Sends and receives messages between tabs, without breaking the back/forward cache of the browser. */
import { merge, Observable, share, tap } from 'rxjs';
import type { Page } from './page.js';

/**
 * A BroadcastChannel as a stream. Where there is none, or the browser blocks it together with cookies, nothing is heard
 * and nothing is posted. It is closed while the page is hidden: a message to a page in the back/forward cache evicts
 * the page.
 */
export function createChannel(name: string, { hidden$, shown$ }: Page) {
  let channel: BroadcastChannel | null = null;

  const open = (): BroadcastChannel | null => {
    try {
      return new BroadcastChannel(name);
    } catch {
      return null;
    }
  };

  // Hand-made, since `post` uses the same channel: a tab must not hear itself.
  const posted$ = new Observable<unknown>((subscriber) => {
    const attach = () => {
      channel ??= open();
      if (!channel) return;
      channel.onmessage = ({ data }: MessageEvent<unknown>) => subscriber.next(data);
    };
    const detach = () => {
      channel?.close();
      channel = null;
    };
    attach();
    const visits = merge(hidden$.pipe(tap(detach)), shown$.pipe(tap(attach))).subscribe();
    return () => {
      visits.unsubscribe();
      detach();
    };
  });

  return {
    /** What other tabs post. The channel is open while it has a subscriber and the page is shown. */
    posted$: posted$.pipe(share()),
    /** Never throws. */
    post: (data: object): void => {
      const to = channel ?? open();
      try {
        to?.postMessage(data);
      } catch {
        // The browser forbids it: the other tabs are not told.
      }
      if (to !== channel) to?.close();
    },
  };
}
