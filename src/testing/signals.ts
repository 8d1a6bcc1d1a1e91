import { defer, fromEvent, map, NEVER, of, type Observable } from 'rxjs';

/** Errors with the signal's reason once it is aborted; until then, silence. */
export const abortedBy = (signal: AbortSignal | null | undefined): Observable<never> =>
  defer(() => (!signal ? NEVER : signal.aborted ? of(undefined) : fromEvent(signal, 'abort'))).pipe(
    map(() => {
      throw signal?.reason;
    }),
  );
