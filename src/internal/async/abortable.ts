/** Gives some work a signal that aborts when the subscriber leaves. */
import { defer, finalize, from, type Observable, type ObservableInput } from 'rxjs';

/** An Observable of what `work` returns. The signal aborts when the subscription ends. */
export const abortable = <T>(work: (signal: AbortSignal) => ObservableInput<T>): Observable<T> =>
  defer(() => {
    const controller = new AbortController();
    return from(work(controller.signal)).pipe(finalize(() => controller.abort()));
  });
