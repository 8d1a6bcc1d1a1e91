import type { Observable, OperatorFunction } from 'rxjs';
import { managerOf } from '../token/tokenStream.js';
import type { AccessToken, TokenStream } from '../token/types.js';
import { connections } from './connections.js';
import { settingsOf, type Connect, type ConnectOptions } from './options.js';

/**
 * One stream of messages over any number of connections, each opened with a usable token.
 *
 * ```
 * token$       T1-----------------T2--------------T3---
 * connections  (T1)---a---b-----------x (T2)--c--4401 (T3)--d---
 * result       -------a---b-------------------c-------------d---
 * ```
 *
 * A lost connection is opened again after a pause, with the latest token. If the server rejects the token, one refresh
 * follows, and then a connection with the new token. A rejected token is not used again. A renewal does not change an
 * open connection, unless `onRenewal` says so. Unsubscribing closes the connection.
 *
 * ```ts
 * const messages$ = connectWithToken(token$, (token) => openSocket('wss://api.example.com/live', token));
 * ```
 *
 * As an operator it is the first one after a stream of `createTokenStream`.
 *
 * @param connect opens a connection: an Observable of its messages, whose teardown closes it. It completes, or errors
 *   with the reason of its end. It may call `opened`, which is needed for `onRenewal: 'replace'`.
 * @returns a cold Observable. It completes or errors as the last connection did; it errors with
 *   {@link TokenUnavailableError} when there is no token or after `signOut()`, {@link TokenStreamClosedError} after
 *   `close()`, and with whatever `connect` or an option throws.
 * @throws TypeError if `token$` was not made by `createTokenStream`, or names an option out of range.
 */
export function connectWithToken<T>(connect: Connect<T>, options?: ConnectOptions): OperatorFunction<AccessToken, T>;
export function connectWithToken<T>(token$: TokenStream, connect: Connect<T>, options?: ConnectOptions): Observable<T>;
export function connectWithToken<T>(
  ...given: [Connect<T>, ConnectOptions?] | [TokenStream, Connect<T>, ConnectOptions?]
): OperatorFunction<AccessToken, T> | Observable<T> {
  if (typeof given[0] === 'function') {
    const settings = settingsOf(given[1] as ConnectOptions | undefined);
    const connect = given[0];
    return (token$) => connections(managerOf(token$ as TokenStream), connect, settings);
  }
  const [token$, connect, options] = given as [TokenStream, Connect<T>, ConnectOptions?];
  const manager = managerOf(token$);
  if (typeof connect !== 'function')
    throw new TypeError('connectWithToken takes a function that opens a connection with a token');
  return connections(manager, connect, settingsOf(options));
}
