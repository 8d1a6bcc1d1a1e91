/** The page of a tab: its storage, and when it is hidden, shown and opened. */
import { defer, fromEvent, merge, of } from 'rxjs';

export type Page = ReturnType<typeof currentPage>;

/** What the store needs of its page. @throws TypeError where there is no page: on a server, in a worker */
export function currentPage() {
  const { window, document } = globalThis as {
    window?: EventTarget & { readonly localStorage: Storage };
    document?: EventTarget & { readonly prerendering?: boolean };
  };
  if (typeof window?.addEventListener !== 'function' || typeof document?.addEventListener !== 'function')
    throw new TypeError(
      'tabTokenStore works in the page of a browser only, and there is no window and document here: on a server it would ' +
        'share one token among all users. Create the stream without a store there',
    );
  // Listeners that capture run before the application's, so that the session is checked before a token is handed out.
  const event = (target: EventTarget, type: string) => fromEvent(target, type, { capture: true });
  const shown$ = event(window, 'pageshow');
  return {
    /** Throws where the browser blocks it; null where it is switched off. */
    localStorage: () => window.localStorage,
    /** The page goes away. It may go into the back/forward cache. */
    hidden$: event(window, 'pagehide'),
    /** The page is there, or is back from the back/forward cache. */
    shown$,
    /**
     * The page may have missed messages: it is back from the back/forward cache, no longer frozen, or visible again. Or
     * another tab has changed localStorage, perhaps cleared it.
     */
    returned$: merge(shown$, event(document, 'resume'), event(document, 'visibilitychange'), event(window, 'storage')),
    /** Emits at once, or when the user opens the page, if it is prerendered: browsers give it no lock before. */
    opened$: defer(() => (document.prerendering ? event(document, 'prerenderingchange') : of(null))),
  };
}
