import { defer, finalize, from, type Observable } from 'rxjs';

/** An Observable of the promise. The signal aborts when the subscription ends. */
export const abortable = <T>(work: (signal: AbortSignal) => Promise<T>): Observable<T> =>
  defer(() => {
    const controller = new AbortController();
    return from(work(controller.signal)).pipe(
      finalize(() => {
        controller.abort();
      }),
    );
  });
