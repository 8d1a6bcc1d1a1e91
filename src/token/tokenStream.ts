/** The public function `createTokenStream`, and the way from a stream back to its manager. */
import { TokenStreamClosedError } from '../errors.js';
import { PROOF } from '../internal/hiddenMembers.js';
import { accessToken } from './decisions/accessToken.js';
import { settingsOf } from './options.js';
import type { SourceHooks } from './sourceHooks.js';
import { createManager, type TokenManager } from './tokenManager.js';
import type { AccessToken, TokenSource, TokenStream, TokenStreamOptions } from './types.js';

/** Links a stream to its manager. From the global registry, so that two copies of the package agree. */
export const MANAGER: unique symbol = Symbol.for('rx-fresh-token/manager@3');

/**
 * Makes a stream that keeps an access token fresh.
 *
 * ```
 * source   r----------------------r----------------------r      one request per token life
 * stream    T1---------------------T2---------------------T3    subscribers get the token now, then every new one
 *           |<------- 30 s ------->|
 * ```
 *
 * The stream fetches when a token is needed. All who need it meanwhile share the fetch. It renews the token in the
 * background before it expires, and stops when nobody uses it any more. Unsubscribing does not abort a fetch that
 * others may use. A failed renewal is retried with backoff; while the current token is valid, nobody gets an error.
 *
 * ```ts
 * const token$ = createTokenStream(({ signal }) => fetch('https://auth.example.com/token', { method: 'POST', signal }));
 * token$.subscribe({ next: (token) => console.log(`${token}`), error: console.error }); // AccessToken(Bearer 4ac1a6a0)
 * ```
 *
 * @param source fetches one token; see {@link TokenSource}
 * @returns a hot stream. A subscriber gets an error ({@link TokenUnavailableError}) only if there is no usable token
 *   and the source failed permanently. You may subscribe again at any time. The stream completes on `close()`: later
 *   subscribers get a {@link TokenStreamClosedError}.
 * @throws TypeError that names an option which is out of range.
 */
export function createTokenStream(source: TokenSource, options: TokenStreamOptions = {}): TokenStream {
  if (typeof source !== 'function')
    throw new TypeError('createTokenStream takes a token source: a function that fetches a token');
  const settings = settingsOf(options);
  if (settings.store) (source as SourceHooks)[PROOF]?.checkStore?.();
  return streamOf(createManager(source, settings, options.initial));
}

/** A member that is not printed. A test may put a spy in its place. */
const replaceable = <V>(value: V) => ({ value, writable: true, configurable: true });

/** Gives `token$` of a manager the other members of a stream. */
export function streamOf(manager: TokenManager): TokenStream {
  const { token$, events$, current, refresh, reject, signOut, close, isClosed } = manager;
  return Object.defineProperties(token$, {
    // Vue then makes no Proxy of a stream in reactive state. Through one of `readonly` a stream hears nothing.
    __v_skip: { value: true },
    // Configurable: any other Proxy may hand out its own form of an object.
    events: { value: events$, configurable: true },
    current: { get: current, configurable: true },
    refresh: replaceable(refresh),
    reject: replaceable((token: AccessToken | null) => {
      if (typeof token?.value !== 'string') throw new TypeError('reject takes a token of the stream');
      if (isClosed()) throw new TokenStreamClosedError();
      // Our tokens have `value` on the prototype. A copy has it as a member of its own, and an event would print it.
      reject({
        token: Object.hasOwn(token, 'value') ? accessToken({ access_token: token.value }, 0, 0, token.type) : token,
        kind: 'explicit',
      });
    }),
    signOut: replaceable(signOut),
    close: replaceable(close),
    [Symbol.dispose]: { value: close },
    [MANAGER]: { value: manager, configurable: true },
  }) as TokenStream;
}

/** The manager behind a stream of {@link createTokenStream}. @param hint begins the message if it is another one */
export function managerOf(token$: TokenStream, hint = ''): TokenManager {
  const manager = (token$ as Partial<Record<typeof MANAGER, TokenManager>> | null)?.[MANAGER];
  if (!manager) throw new TypeError(`${hint}token$ must be a stream made by createTokenStream`);
  return manager;
}
