/** The events of a browser after which timers may be late and tokens expired: a page shown, the network back. */
import { EMPTY, filter, fromEvent, merge, type Observable } from 'rxjs';

/** The moments at which a page may have slept. Outside of browsers there are none. */
export function browserWake(): Observable<unknown> {
  const { document, window } = globalThis as {
    document?: EventTarget & { readonly visibilityState?: string };
    window?: EventTarget;
  };
  if (typeof document?.addEventListener !== 'function' || typeof window?.addEventListener !== 'function') return EMPTY;
  const visible$ = fromEvent(document, 'visibilitychange').pipe(filter(() => document.visibilityState !== 'hidden'));
  return merge(visible$, fromEvent(window, 'online'), fromEvent(window, 'pageshow'));
}
