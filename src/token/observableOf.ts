/** What a function of the user's returned, as an Observable. */
import { from, type Observable, type ObservableInput } from 'rxjs';
import { kindOf } from '../internal/kindOf.js';

/** @param name of the function: the error of RxJS names none */
export function observableOf<T>(returned: ObservableInput<T>, name: string): Observable<T> {
  try {
    return from(returned);
  } catch {
    throw new TypeError(`${name} returned ${kindOf(returned)}, not a Promise or an Observable`);
  }
}
