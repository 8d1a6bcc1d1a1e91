import { EMPTY, fromEvent, merge, type Observable } from 'rxjs';

/** The moments at which a page may have slept. Outside of browsers there are none. */
export function browserWake(): Observable<unknown> {
  const { document, window } = globalThis as { document?: EventTarget; window?: EventTarget };
  if (typeof document?.addEventListener !== 'function' || typeof window?.addEventListener !== 'function') return EMPTY;
  return merge(fromEvent(document, 'visibilitychange'), fromEvent(window, 'online'), fromEvent(window, 'pageshow'));
}
