import { defer, subscribeOn, type Observable, type ObservableInput } from 'rxjs';
import type { TokenStore } from '../token/tokenStore.js';
import { within } from './zoneScheduler.js';

/** A store whose timers and messages belong to no zone, whoever the stream acts for when it asks. */
export function storeOutside(store: TokenStore, leave: <T>(run: () => T) => T): TokenStore {
  const outside = <T>(work: () => ObservableInput<T>): Observable<T> => defer(work).pipe(subscribeOn(within(leave)));
  const { changes, signedOut } = store;
  return {
    refresh: (request, fetch) => outside(() => store.refresh(request, fetch)),
    ...(changes && { changes: outside(() => changes) }),
    ...(store.signOut && { signOut: () => leave(() => store.signOut?.()) }),
    ...(signedOut && { signedOut: outside(() => signedOut) }),
  };
}
