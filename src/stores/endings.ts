/** Notes each end of a session: for refreshes that are under way, and for the streams that have the store. */
import { Subject, type Observable } from 'rxjs';

/**
 * A session is the time between two sign-outs, whoever makes them.
 *
 * @param onEnd called when the session ends, before `ended$` emits
 */
export function createEndings(onEnd: () => void) {
  const ended$ = new Subject<void>();
  let endings = 0;

  return {
    end: (): void => {
      endings++;
      onEnd();
      ended$.next();
    },
    /** Returns a function that says whether the session has ended since this call. */
    watch: (): (() => boolean) => {
      const before = endings;
      return () => endings !== before;
    },
    /** Emits when the session has ended, here or elsewhere: several streams may have this store. */
    ended$: ended$ as Observable<void>,
  };
}
