import { defer, fromEvent, map, NEVER, of, switchMap, timer, type Observable, type SchedulerLike } from 'rxjs';

/** Errors with the signal's reason once it is aborted; until then, silence. */
export const abortedBy = (signal: AbortSignal | null | undefined): Observable<never> =>
  defer(() => (!signal ? NEVER : signal.aborted ? of(undefined) : fromEvent(signal, 'abort'))).pipe(
    map(() => {
      throw signal?.reason;
    }),
  );

/** The answer after so many milliseconds, synchronously after 0; never if it hangs. */
export function answeredAfter<T>(
  wait: number,
  hangs: boolean,
  answer$: Observable<T>,
  scheduler: SchedulerLike,
): Observable<T> {
  if (hangs) return NEVER;
  return wait === 0 ? answer$ : timer(wait, scheduler).pipe(switchMap(() => answer$));
}
