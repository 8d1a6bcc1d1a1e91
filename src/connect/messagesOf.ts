import { finalize, from, type Observable, type ObservableInput } from 'rxjs';
import { ignoreRejection } from '../internal/ignoreRejection.js';
import { observableOf } from '../internal/observableOf.js';

/** What `connect` returned, as an Observable whose teardown closes it. */
export function messagesOf<T>(given: ObservableInput<T>): Observable<T> {
  if (!isAsyncIterable(given)) return observableOf(given, 'connect');
  // RxJS leaves an async iterable at its next value only. A silent connection has none.
  const iterator = given[Symbol.asyncIterator]();
  return from({ [Symbol.asyncIterator]: () => iterator }).pipe(
    finalize(() => {
      ignoreRejection(iterator.return?.());
    }),
  );
}

/** The Observables of some libraries are async iterables too. */
const isAsyncIterable = <T>(given: ObservableInput<T>): given is AsyncIterable<T> => {
  const { subscribe, [Symbol.asyncIterator]: iterate } = Object(given) as Record<PropertyKey, unknown>;
  return typeof subscribe !== 'function' && typeof iterate === 'function';
};
