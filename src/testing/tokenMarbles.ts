/** The public functions that turn tokens and events into letters, for marble diagrams. */
import { catchError, map, throwError, type Observable } from 'rxjs';
import { fieldsOf } from '../internal/values/fieldsOf.js';
import type { TokenEvent } from '../token/events.js';
import type { AccessToken } from '../token/types.js';
import { isError } from './plainError.js';

/**
 * A stream of tokens for a marble diagram. Each token becomes its value: with a {@link fakeTokenSource} this is the
 * letter in the diagram, so you need no table of values. Other values are not changed. An error becomes a text: its
 * `code`, or its status, or its name and message.
 *
 * ```ts
 * m.expect(tokenMarbles(token$), '     ^ 60s !                ')
 *   .toBeObservable('200ms a 24999ms b 24999ms c');
 * m.expect(tokenMarbles(token$.refresh())).toBeObservable('200ms #', undefined, 'ERR_TOKEN_UNAVAILABLE');
 * ```
 */
export const tokenMarbles = <T>(source$: Observable<T>): Observable<T extends AccessToken ? string : T> =>
  source$.pipe(
    map((value) => (isToken(value) ? value.value : value) as T extends AccessToken ? string : T),
    catchError((error: unknown) => throwError(() => errorMark(error))),
  );

/** The letter of each kind of event in {@link eventMarbles}. */
export const EVENT_LETTERS = Object.freeze({
  refreshStarted: 's',
  tokenChanged: 'c',
  refreshFailed: 'f',
  tokenRejected: 'r',
  tokenExpired: 'x',
  idle: 'i',
  signedOut: 'o',
  closed: 'z',
}) satisfies Readonly<Record<TokenEvent['type'], string>>;

/**
 * The events of a stream as letters: `s` refreshStarted, `c` tokenChanged, `f` refreshFailed, `r` tokenRejected,
 * `x` tokenExpired, `i` idle, `o` signedOut, `z` closed.
 *
 * ```ts
 * m.expect(eventMarbles(token$.events), '^ 30s !').toBeObservable('s 199ms c 24799ms s 199ms c');
 * ```
 */
export const eventMarbles = (events$: Observable<TokenEvent>): Observable<string> =>
  events$.pipe(map(({ type }) => EVENT_LETTERS[type]));

const isToken = (candidate: unknown): candidate is AccessToken => {
  const { value, issuedAt, id } = fieldsOf(candidate);
  return typeof value === 'string' && typeof issuedAt === 'number' && typeof id === 'string';
};

/** Typed unknown, as errors are. */
function errorMark(error: unknown): unknown {
  const { code, status } = fieldsOf(error);
  for (const mark of [code, status]) if (typeof mark === 'string' || typeof mark === 'number') return String(mark);
  return isError(error) ? `${error.name}: ${error.message}` : String(error);
}
