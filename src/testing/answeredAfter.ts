import { NEVER, switchMap, timer, type Observable, type SchedulerLike } from 'rxjs';

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
