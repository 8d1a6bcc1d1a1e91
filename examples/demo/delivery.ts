import {
  catchError,
  concatMap,
  defer,
  finalize,
  from,
  map,
  of,
  retry,
  throwError,
  timeout,
  timer,
  type Observable,
} from 'rxjs';
import type { Send } from './client.js';
import type { OutgoingRecord } from './records.js';
import { endsTheRun, pauseBefore, RefusedError, retryAfter } from './retryPolicy.js';
import { workers } from './workers.js';

/** What became of a record: `error` is null when the API has it. */
export interface Outcome {
  readonly record: OutgoingRecord;
  readonly error: unknown;
}

/** Delivers the records, a few at a time. Errors only when nothing more can be delivered at all. */
export const deliver = (
  records: AsyncIterator<OutgoingRecord, unknown, undefined>,
  send: Send,
  { concurrency, stop$ }: { readonly concurrency: number; readonly stop$: Observable<unknown> },
): Observable<Outcome> =>
  workers(records, concurrency, stop$, (record) =>
    defer(() => send(record)).pipe(
      concatMap(accepted),
      retry({ delay: again }),
      map(() => ({ record, error: null })),
      catchError((error: unknown) => (endsTheRun(error) ? throwError(() => error) : of({ record, error }))),
    ),
  );

/** The status decides; the body is read to its end, within reason, so that the connection can be used again. */
function accepted(response: Response): Observable<void> {
  const enough = new AbortController();
  const drained = response.body?.pipeTo(new WritableStream(), { signal: enough.signal }) ?? Promise.resolve();
  return from(drained).pipe(
    timeout(10_000),
    catchError(() => of(undefined)),
    finalize(() => enough.abort()),
    map(() => {
      if (!response.ok) throw new RefusedError(response.status, retryAfter(response.headers.get('retry-after')));
    }),
  );
}

function again(error: unknown, repeat: number): Observable<unknown> {
  const pause = pauseBefore(repeat, error);
  return pause === null ? throwError(() => error) : timer(pause);
}
