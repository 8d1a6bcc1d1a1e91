import { defer, finalize, from, type Observable } from 'rxjs';

/** What a promise gives. Its signal aborts when it has no subscriber any more. */
export const abortable = <T>(work: (signal: AbortSignal) => Promise<T>): Observable<T> =>
  defer(() => {
    const controller = new AbortController();
    return from(work(controller.signal)).pipe(
      finalize(() => {
        controller.abort();
      }),
    );
  });
