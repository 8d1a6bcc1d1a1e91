/** What a function of the user's returned, as an Observable. */
import { from, type Observable, type ObservableInput } from 'rxjs';
import { kindOf } from '../values/kindOf.js';

/** @param name of the function: the error of RxJS names none */
export function observableOf<T>(returned: ObservableInput<T>, name: string): Observable<T> {
  try {
    return from(returned);
  } catch {
    throw new TypeError(`${name} returned ${kindOf(returned)}, not a Promise or an Observable`);
  }
}

/** For one value: `undefined` for what RxJS cannot read, and for a string, which it would read letter by letter. */
export function asObservable(returned: unknown): Observable<unknown> | undefined {
  if (typeof returned !== 'object' || returned === null) return undefined;
  try {
    return from(returned as ObservableInput<unknown>);
  } catch {
    return undefined; // a row count, say
  }
}
